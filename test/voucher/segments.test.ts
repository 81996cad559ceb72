import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { readSegments } from "../../src/voucher/read-segments.js";
import { segmentOf } from "../../src/voucher/segment-rules.js";
import { makeFolder, PROJECT } from "../workspace.js";

const segments = await readSegments(path.join(PROJECT, "sql/v1"));

describe("the segments of version 1", () => {
  it.each([
    [0, "0-4"],
    [4, "0-4"],
    [5, "5-13"],
    [13, "5-13"],
    [14, "13-37"],
    [37, "13-37"],
    [38, "37+"],
    [2_147_483_647, "37+"],
  ])("put %d orders into the frequent segment %s", (orders, name) => {
    expect(segmentOf(segments, "frequent_segment", orders)).toBe(name);
  });

  it.each([
    [-5, "0-30"],
    [0, "0-30"],
    [30, "0-30"],
    [31, "30-60"],
    [60, "30-60"],
    [61, "60-90"],
    [90, "60-90"],
    [91, "90-120"],
    [120, "90-120"],
    [121, "120-180"],
    [180, "120-180"],
    [181, "180+"],
    [100_000, "180+"],
  ])("put %d days since the last order into the recency segment %s", (days, name) => {
    expect(segmentOf(segments, "recency_segment", days)).toBe(name);
  });
});

describe("a file of segments", () => {
  const frequent = {
    description: "Orders",
    measure: "total_orders",
    segments: [{ name: "a", up_to: 4 }, { name: "b" }],
  };
  const recency = {
    description: "Days",
    measure: "days",
    segments: [{ name: "c", up_to: 4 }, { name: "d" }],
  };

  const read = async (text: string) => {
    const folder = await makeFolder();
    await writeFile(path.join(folder, "segments.json"), text);
    return readSegments(folder);
  };

  it.each([
    ["is no JSON", "{", "segments.json"],
    ["lacks a kind", JSON.stringify({ frequent_segment: frequent }), "recency_segment"],
    [
      "has a segment that ends before the one below it",
      JSON.stringify({
        frequent_segment: {
          ...frequent,
          segments: [{ name: "a", up_to: 9 }, { name: "b", up_to: 4 }, { name: "c" }],
        },
        recency_segment: recency,
      }),
      "'b' must have an 'up_to' above 9",
    ],
    [
      "has a last segment with an end",
      JSON.stringify({
        frequent_segment: {
          ...frequent,
          segments: [
            { name: "a", up_to: 4 },
            { name: "b", up_to: 9 },
          ],
        },
        recency_segment: recency,
      }),
      "every segment except the last",
    ],
    [
      "names two segments the same",
      JSON.stringify({
        frequent_segment: { ...frequent, segments: [{ name: "a", up_to: 4 }, { name: "a" }] },
        recency_segment: recency,
      }),
      "two segments have the same name",
    ],
    [
      "has an unknown key",
      JSON.stringify({ frequent_segment: { ...frequent, colour: "red" }, recency_segment: recency }),
      "colour",
    ],
  ])("is refused if it %s", async (_fault, text, word) => {
    await expect(read(text)).rejects.toMatchObject({
      code: "INVALID_MODEL",
      message: expect.stringContaining(word),
    });
  });
});
