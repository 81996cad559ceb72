import { describe, expect, it } from "@jest/globals";
import { layoutOf, NODE_HEIGHT, type Linked } from "../../src/dictionary/graph.js";

const GRAPH: Linked[] = [
  { name: "raw", reads: [] },
  { name: "left", reads: ["raw"] },
  { name: "right", reads: ["raw", "unknown"] },
  { name: "end", reads: ["left", "raw"] },
];

describe("the layout of a graph", () => {
  const { nodes, lines, width, height } = layoutOf(GRAPH, () => 120);
  const placeOf = (name: string) => {
    const place = nodes.find(({ of }) => of.name === name);
    if (place === undefined) throw new Error(`no ${name}`);
    return place;
  };

  it("puts each node to the right of its sources", () => {
    expect(nodes.map(({ of }) => of)).toEqual(expect.arrayContaining(GRAPH));
    for (const { of, x } of nodes)
      for (const name of of.reads.filter((read) => read !== "unknown"))
        expect(x).toBeGreaterThan(placeOf(name).x + placeOf(name).width);
  });

  it("never puts two nodes on each other, nor outside the picture", () => {
    expect(placeOf("left").x).toBe(placeOf("right").x);
    for (const a of nodes) {
      expect([a.x >= 0, a.y >= 0, a.x + a.width <= width, a.y + NODE_HEIGHT <= height]).toEqual([
        true,
        true,
        true,
        true,
      ]);
      for (const b of nodes.filter((other) => other !== a && other.x === a.x))
        expect(Math.abs(a.y - b.y)).toBeGreaterThan(NODE_HEIGHT);
    }
  });

  it("draws a line from each existing source, and longer lines pass the other nodes", () => {
    // raw to left, raw to right, left to end; raw to end goes by the column of left and right: to it, past it, from it.
    expect(lines).toHaveLength(3 + 3);
    const [passing = ""] = lines.filter((path) => path.endsWith("h120"));
    const y = Number(/,([0-9.]+)h/.exec(passing)?.[1]);
    for (const name of ["left", "right"])
      expect(Math.abs(placeOf(name).y + NODE_HEIGHT / 2 - y)).toBeGreaterThan(NODE_HEIGHT / 2);
  });

  it("puts each node near its sources, so that lines do not cross", () => {
    const crossing: Linked[] = [
      { name: "a", reads: [] },
      { name: "b", reads: [] },
      { name: "of b", reads: ["b"] },
      { name: "p of a", reads: ["a"] },
    ];
    const places = layoutOf(crossing, () => 120).nodes.filter(({ of }) => of.reads.length > 0);
    expect(places.sort((one, other) => one.y - other.y).map(({ of }) => of.name)).toEqual(["p of a", "of b"]);
  });

  it("is empty without nodes", () => {
    expect(layoutOf([], () => 120).nodes).toEqual([]);
  });
});
