import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { PROJECT } from "./workspace.js";

/** The text of every script in a folder of the project. */
async function scriptsIn(folder: string): Promise<string> {
  const files = await readdir(path.join(PROJECT, folder), { recursive: true });
  const scripts = files.filter((file) => file.endsWith(".js"));
  const texts = await Promise.all(scripts.map((file) => readFile(path.join(PROJECT, folder, file), "utf8")));
  return texts.join("\n");
}

/** The function, the variable, the signal, and the names of some points of a run, a commit and a publish. */
const PARTS = [
  ...["failpoint", "TEST_FAILPOINT", "SIGSTOP"],
  ...["raw files inspected", ": new file in place", "publish: publication written"],
];

describe("the shipped code", () => {
  it("has no failpoint, and nothing that arms one", async () => {
    const shipped = await scriptsIn("dist");
    expect(PARTS.filter((part) => shipped.includes(part))).toEqual([]);
    expect(shipped.includes("--execution-date")).toBe(true);
  });

  it("differs only in that from the code in tests with failpoints", async () => {
    const stopped = await scriptsIn("dist-test");
    expect(PARTS.filter((part) => !stopped.includes(part))).toEqual([]);
  });
});
