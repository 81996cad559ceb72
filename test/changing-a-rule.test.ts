import { spawnSync } from "node:child_process";
import { chmod, cp, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { MAIN } from "./cli/command.js";
import { putFile } from "./storage.js";
import { blocksOf, patternOf } from "./tutorial/document.js";
import { makeFolder, PROJECT } from "./workspace.js";

const DOCUMENT = "docs/changing-a-rule.md";
const blocks = blocksOf(await readFile(path.join(PROJECT, DOCUMENT), "utf8"));
const steps = blocks.flatMap((block, index) => {
  if (block.language === "text") return [];
  const next = blocks[index + 1];
  return [{ block, shown: next?.language === "text" ? next.content : undefined }];
});

let folder = "";

beforeAll(async () => {
  folder = await makeFolder();
  for (const name of ["sql", "data/raw"])
    await cp(path.join(PROJECT, name), path.join(folder, name), { recursive: true });
  await putFile(folder, "bin/npx", `#!/bin/sh\nshift\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  await chmod(path.join(folder, "bin/npx"), 0o755);
  await symlink(path.join(PROJECT, "package.json"), path.join(folder, "package.json"));
});

/** Types lines into a shell, as a reader in a clone of the project. */
function typed(lines: string): string {
  const PATH = `${path.join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
  const { status, stdout } = spawnSync("bash", ["-e", "-c", `exec 2>&1\n${lines}`], {
    cwd: folder,
    // The program of another folder has its own SQL.
    env: { PATH, SQL_DIRECTORY: "sql", DUCKDB_TEMP_DIRECTORY: path.join(folder, "temp") },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`it ended with ${String(status)}:\n${stdout}`);
  return stdout;
}

describe("the page about changing a rule", () => {
  it.each(steps.map((step) => [`${DOCUMENT}:${step.block.line.toString()}`, step] as const))(
    "does what it says at %s",
    async (_place, { block, shown }) => {
      if (block.language !== "sh") return putFile(folder, block.file, block.content);
      const output = typed(block.content);
      if (shown !== undefined) expect(output).toMatch(patternOf(shown));
    },
  );
});
