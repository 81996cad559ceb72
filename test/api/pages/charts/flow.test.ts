import { describe, expect, it } from "@jest/globals";
import { h } from "preact";
import { render } from "preact-render-to-string";
import { flowShapeOf, type Stream, Flow } from "../../../../src/api/pages/charts/flow.js";

const READ: Stream = {
  label: "rows read",
  value: 1_200,
  parts: [
    { label: "curated", value: 900, kind: "kept" },
    { label: "out of scope", value: 0, kind: "aside" },
    {
      label: "rejected",
      value: 300,
      kind: "lost",
      parts: [
        { label: "one", value: 300 },
        { label: "two", value: 100 },
        { label: "three", value: 0 },
      ],
    },
  ],
};

function sumOf(nodes: readonly { readonly height: number }[]): number {
  return nodes.reduce((sum, { height }) => sum + height, 0);
}

describe("the shape of a flow", () => {
  const { whole, parts, partsOfParts, ribbons, height } = flowShapeOf(READ);

  it("has parts that are as high as they are large, and together as high as the whole", () => {
    expect(whole.height).toBe(120);
    expect(parts.map((part) => part.height)).toEqual([90, 30]);
  });

  it("has parts of a part in proportion, as high as it, where they are more than it", () => {
    expect(partsOfParts.map((part) => part.height)).toEqual([22.5, 7.5]);
  });

  it("leaves room where parts of a part are less than it", () => {
    const shape = flowShapeOf({
      label: "all",
      value: 120,
      parts: [{ label: "half", value: 60, parts: [{ label: "one", value: 30 }] }],
    });
    expect(sumOf(shape.partsOfParts)).toBe(30);
  });

  it("draws nothing of what does not flow", () => {
    expect([...parts, ...partsOfParts].map(({ stream }) => stream.label)).toEqual([
      "curated",
      "rejected",
      "one",
      "two",
    ]);
    expect(ribbons).toHaveLength(4);
  });

  it("keeps what is tiny in sight, and lines of text apart", () => {
    const names = ["a", "b", "c", "d"].map((label) => ({ label, value: 1 }));
    const shape = flowShapeOf({
      label: "all",
      value: 1_000_000,
      parts: [{ label: "few", value: 4, parts: names }],
    });
    expect(shape.parts[0]?.height).toBe(1);
    const tops = shape.partsOfParts.map(({ y }) => y);
    for (const [index, top] of tops.slice(1).entries()) expect(top - (tops[index] ?? 0)).toBeGreaterThan(14);
    expect(shape.height).toBeGreaterThan(tops.at(-1) ?? 0);
  });

  it("places nothing over another, nor out of the picture", () => {
    for (const column of [parts, partsOfParts]) {
      let below = 0;
      for (const node of column) {
        expect(node.y).toBeGreaterThan(below);
        below = node.y + node.height;
      }
      expect(below).toBeLessThan(height);
    }
  });

  it("has no number that is none", () => {
    const shape = flowShapeOf({ label: "nothing", value: 0, parts: [{ label: "none", value: 0 }] });
    expect(JSON.stringify([shape, flowShapeOf(READ)])).not.toMatch(/null|NaN/);
  });
});

describe("the picture of a flow", () => {
  it("says it all in words", () => {
    expect(render(h(Flow, { stream: READ }))).toContain(
      'aria-label="1,200 rows read: 900 curated (75%), 300 rejected (25%), of which 300 one and 100 two"',
    );
  });

  it("is none where nothing flows", () => {
    expect(render(h(Flow, { stream: { label: "rows read", value: 0, parts: [] } }))).toBe("");
  });

  it("shortens names that would leave it, and breaks no letter", () => {
    const label = "👩‍👩‍👧".repeat(40);
    const stream = {
      label: "all",
      value: 1,
      parts: [{ label: "p", value: 1, parts: [{ label, value: 1 }] }],
    };
    expect(render(h(Flow, { stream }))).toContain(`>${"👩‍👩‍👧".repeat(22)}…</text>`);
  });

  it("has no styles of its own, which the policy of the page forbids, and escapes names", () => {
    const picture = render(
      h(Flow, {
        stream: { label: "all", value: 1, parts: [{ label: "<script>x</script>", value: 1, kind: "kept" }] },
      }),
    );
    expect(picture).not.toContain("style=");
    expect(picture).not.toContain("<script>");
  });
});
