import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { allEnded, sideBySide } from "../src/base/concurrency.js";

describe("the same work for many items at once", () => {
  it("gives its results in their order", async () => {
    const milliseconds = [30, 1, 20, 2, 10, 3, 5, 4, 1, 2];
    expect(await sideBySide(milliseconds, (time) => sleep(time, time * 2))).toEqual(
      milliseconds.map((time) => time * 2),
    );
  });

  it("starts no other after a failure, and throws when the current ones have ended", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const treat = async (item: number) => {
      begun.push(item);
      if (item === 3) throw new Error("the third");
      await sleep(20);
      ended.push(item);
    };
    const items = Array.from({ length: 20 }, (_, index) => index);
    await expect(sideBySide(items, treat)).rejects.toThrow("the third");
    expect(begun).toHaveLength(8);
    expect(ended).toHaveLength(7);
  });
});

describe("work that must end", () => {
  it("throws the first failure in its order, and not in time", async () => {
    const failing = async (name: string, after: number) => {
      await sleep(after);
      throw new Error(name);
    };
    await expect(allEnded([failing("first", 20), failing("second", 1)])).rejects.toThrow("first");
  });
});
