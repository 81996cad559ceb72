import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { PROBLEMS } from "../src/api/problem.js";
import { EXIT_CODES, exitCodeOf } from "../src/cli/exit-codes.js";
import { FAULTS, type FaultKind } from "../src/errors.js";
import { readSettings } from "../src/settings.js";
import { PROJECT } from "./workspace.js";

const read = (file: string) => readFile(path.join(PROJECT, file), "utf8");

describe("the documentation", () => {
  it("explains every error code, with the exit code it has", async () => {
    const rows = [...(await read("docs/errors.md")).matchAll(/^\| `([A-Z_]+)` +\| ([0-9, ]+?) +\|/gm)];
    const exitOf = (kind: FaultKind) => (kind === "cancelled" ? "130, 143" : String(exitCodeOf(kind)));
    expect(Object.fromEntries(rows.map(([, code, exit]) => [code, exit]))).toEqual(
      Object.fromEntries(Object.entries(FAULTS).map(([code, kind]) => [code, exitOf(kind)])),
    );
  });

  it("explains every exit code", async () => {
    const rows = [...(await read("docs/errors.md")).matchAll(/^\| ([0-9]) +\| /gm)].map(([, code]) =>
      Number(code),
    );
    expect(rows).toEqual(Object.values(EXIT_CODES));
  });

  it("explains every problem, with the status it has", async () => {
    const rows = [...(await read("docs/api.md")).matchAll(/^\| `([a-z-]+)` +\| ([0-9]{3}) +\|/gm)];
    expect(Object.fromEntries(rows.map(([, type, status]) => [type, Number(status)]))).toEqual(
      Object.fromEntries(Object.entries(PROBLEMS).map(([type, { status }]) => [type, status])),
    );
  });

  it("names in .env.example the settings that there are, with their defaults", async () => {
    const lines = [...(await read(".env.example")).matchAll(/^# ([A-Z_]+)=(.*)$/gm)];
    const example = Object.fromEntries(lines.map(([, name = "", value = ""]) => [name, value]));
    const withoutLimits = { ...example };
    delete withoutLimits["DUCKDB_MEMORY_LIMIT"];
    delete withoutLimits["DUCKDB_THREADS"];
    expect(readSettings(withoutLimits)).toEqual(readSettings({ TMPDIR: "/tmp" }));
    expect(() => readSettings(example)).not.toThrow();
  });

  it("has no link to a file that is not there", async () => {
    const documents = [
      "README.md",
      ...(await readdir(path.join(PROJECT, "docs"), { recursive: true })).map((file) => `docs/${file}`),
    ];
    for (const document of documents.filter((file) => file.endsWith(".md"))) {
      for (const [, target = ""] of (await read(document)).matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        const file = path.join(path.dirname(document), target);
        await expect(readdir(path.join(PROJECT, path.dirname(file)))).resolves.toContain(path.basename(file));
      }
    }
  });
});
