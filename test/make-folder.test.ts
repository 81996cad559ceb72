import { rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { makeFolder } from "../src/base/files.js";
import { makeFolder as makeTestFolder } from "./workspace.js";

describe("folders that are made in parallel", () => {
  it("have one maker that knows the uppermost of them, in any order", async () => {
    const folder = await makeTestFolder();
    for (let round = 0; round < 200; round++) {
      const uppermost = path.join(folder, round.toString());
      const made = await Promise.all(
        ["b/c/d", "b/c/e", "b/f", "g"].map((name) => makeFolder(path.join(uppermost, name))),
      );
      expect(made).toContain(uppermost);
    }
  });

  it("are made even if others remove the empty parent folder at the same time", async () => {
    const above = path.join(await makeTestFolder(), "_staging");
    const made = new AbortController();
    const removing = (async () => {
      while (!made.signal.aborted) {
        await rmdir(above).catch(() => undefined);
        await sleep(1);
      }
    })();
    try {
      for (let round = 0; round < 500; round++) {
        await makeFolder(path.join(above, round.toString(), "table"));
        await rm(path.join(above, round.toString()), { recursive: true });
      }
    } finally {
      made.abort();
      await removing;
    }
  });
});
