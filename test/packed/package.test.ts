import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { PROJECT } from "../workspace.js";

/** What a user needs: the programs, the SQL, the sample, and what to read. npm adds the first two by itself. */
const NEEDED =
  /^(package\.json|README\.md|CHANGELOG\.md|start\.sh|\.env\.example|(dist|sql|data\/raw|examples)\/|docs\/[^/]+\.md$)/;

describe("the package", () => {
  it("holds what a user needs, all of it, and nothing else", async () => {
    const { stdout } = spawnSync("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], {
      cwd: PROJECT,
      encoding: "utf8",
    });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const packed = new Set(files.map((file) => file.path));
    expect([...packed].filter((file) => !NEEDED.test(file))).toEqual([]);
    for (const folder of ["dist", "sql", "data/raw"]) {
      const entries = await readdir(path.join(PROJECT, folder), { recursive: true, withFileTypes: true });
      const there = entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(PROJECT, path.join(entry.parentPath, entry.name)));
      expect(there.filter((file) => !packed.has(file))).toEqual([]);
    }
    for (const file of ["start.sh", ".env.example", "docs/operating.md", "examples/cron/crontab"])
      expect(packed).toContain(file);
  });
});
