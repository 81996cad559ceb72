import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { makeFolder } from "../src/base/files.js";
import { makeFolder as makeTestFolder } from "./workspace.js";

describe("folders that are made side by side", () => {
  it("have one maker that knows the uppermost of them, however they meet", async () => {
    const folder = await makeTestFolder();
    for (let round = 0; round < 200; round++) {
      const uppermost = path.join(folder, round.toString());
      const made = await Promise.all(
        ["b/c/d", "b/c/e", "b/f", "g"].map((name) => makeFolder(path.join(uppermost, name))),
      );
      expect(made).toContain(uppermost);
    }
  });
});
