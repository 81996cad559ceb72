import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { PROBLEMS } from "../src/api/http/problems.js";
import { FAULTS, type FaultKind } from "../src/base/errors.js";
import { EXIT_CODES, exitCodeOf } from "../src/base/exit-codes.js";
import { readSettings, SETTING_NAMES } from "../src/settings/settings.js";
import { PROJECT } from "./workspace.js";

const read = (file: string) => readFile(path.join(PROJECT, file), "utf8");

interface Link {
  readonly document: string;
  /** From the project's root. */
  readonly file: string;
  readonly anchor: string | undefined;
}

async function linksOf(document: string): Promise<Link[]> {
  const links = (await read(document)).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g);
  return [...links].map(([, target = "", anchor]) => ({
    document,
    file: target === "" ? document : path.join(path.dirname(document), target),
    anchor,
  }));
}

/** The anchors that GitHub makes of a document's headings. */
async function anchorsOf(document: string): Promise<Set<string>> {
  const text = (await read(document)).replace(/^```.*?^```/gms, "");
  const seen = new Map<string, number>();
  return new Set(
    [...text.matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = ""]) => {
      const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
      const anchor = words.replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
      const times = seen.get(anchor) ?? 0;
      seen.set(anchor, times + 1);
      return times === 0 ? anchor : `${anchor}-${String(times)}`;
    }),
  );
}

describe("the documentation", () => {
  it("explains every error code, with the exit code it has", async () => {
    const rows = [...(await read("docs/errors.md")).matchAll(/^\| `([A-Z_]+)` +\| ([0-9, ]+?) +\|/gm)];
    const exitOf = (kind: FaultKind) => (kind === "cancelled" ? "129, 130, 143" : String(exitCodeOf(kind)));
    expect(Object.fromEntries(rows.map(([, code, exit]) => [code, exit]))).toEqual(
      Object.fromEntries(Object.entries(FAULTS).map(([code, kind]) => [code, exitOf(kind)])),
    );
  });

  it("explains every exit code, and no other", async () => {
    const rows = [...(await read("docs/errors.md")).matchAll(/^\| ([0-9, ]+?) +\| /gm)];
    expect(rows.flatMap(([, codes = ""]) => codes.split(", ").map(Number))).toEqual(
      Object.values(EXIT_CODES),
    );
  });

  it("knows every exit code, because one module sets them all", async () => {
    const sources = (await readdir(path.join(PROJECT, "src"), { recursive: true })).filter((file) =>
      /(?<!browser[/\\].*)\.tsx?$/.test(file),
    );
    const ending: Record<string, string[]> = {};
    for (const file of sources) {
      const text = await read(`src/${file}`);
      const found = text.match(
        /process\.(exit|reallyExit|abort|kill|setUncaught)\w*( = |\(.*\))?|process\[/g,
      );
      if (found !== null) ending[file] = found;
    }
    expect(ending).toEqual({
      "base/exit-codes.ts": [
        "process.exitCode = ",
        "process.exit(code)",
        "process.exitCode = ",
        "process.exitCode",
      ],
      // A process that a native call keeps from ending: the one that takes its place, and the signal itself.
      "base/ending-signals.ts": ["process.kill(process.pid, signal)", "process.exit(${code.toString()})"],
      // A watched process whose watcher is gone.
      "cli/time-limit.ts": ['process.kill(process.pid, "SIGKILL")'],
      // Neither ends a process.
      "engine/duckdb/temp-directory.ts": ["process.kill(Number(pid), 0)"],
      "base/failpoints.ts": ['process.kill(process.pid, "SIGSTOP")'],
    });
  });

  it("explains every problem, with the status it has", async () => {
    const text = await read("docs/errors.md");
    const rows = [...text.matchAll(/^\| `([a-z-]+)` +\| ([0-9]{3}) +\| (.*?) +\|$/gm)];
    const explained = rows.map(([, type, status, meaning]) => [type, { status: Number(status), meaning }]);
    expect(Object.fromEntries(explained)).toEqual(
      Object.fromEntries(
        Object.entries(PROBLEMS).map(([type, { status, meaning }]) => [type, { status, meaning }]),
      ),
    );
  });

  it("has the real settings in .env.example, with their defaults", async () => {
    const lines = [...(await read(".env.example")).matchAll(/^# ([A-Z_]+)=(.*)$/gm)];
    const example = Object.fromEntries(lines.map(([, name = "", value = ""]) => [name, value]));
    const withoutLimits = { ...example };
    delete withoutLimits["DUCKDB_MEMORY_LIMIT"];
    delete withoutLimits["DUCKDB_THREADS"];
    expect(readSettings(withoutLimits)).toEqual(readSettings({ TMPDIR: "/tmp" }));
    expect(() => readSettings(example)).not.toThrow();
  });

  it("has every setting in .env.example", async () => {
    const [example = ""] = (await read(".env.example")).split("# For compose.yaml alone");
    const named = [...example.matchAll(/^# (?: {2})?([A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(SETTING_NAMES));
  });

  it("names only existing files of the sources and the tests", async () => {
    const documents = (await readdir(path.join(PROJECT, "docs"), { recursive: true }))
      .filter((file) => file.endsWith(".md"))
      .map((file) => `docs/${file}`);
    const named = await Promise.all(
      [...documents, "README.md", "CONTRIBUTING.md", "SECURITY.md"].map(async (file) =>
        [...(await read(file)).matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, name = ""]) => ({
          file,
          name,
        })),
      ),
    );
    expect(named.flat().length).toBeGreaterThan(30);
    expect(named.flat().filter(({ name }) => !existsSync(path.join(PROJECT, name)))).toEqual([]);
  });

  it("has only links to existing files and headings", async () => {
    const documents = (await readdir(path.join(PROJECT, "docs"), { recursive: true }))
      .map((file) => `docs/${file}`)
      .concat("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
      .filter((file) => file.endsWith(".md"));
    const links = await Promise.all(documents.map(linksOf));
    expect(links.flat().length).toBeGreaterThan(50);
    const places = new Map(
      await Promise.all(documents.map(async (file) => [file, await anchorsOf(file)] as const)),
    );
    const isThere = ({ file, anchor }: Link) =>
      anchor === undefined ? existsSync(path.join(PROJECT, file)) : places.get(file)?.has(anchor) === true;
    expect(links.flat().filter((link) => !isThere(link))).toEqual([]);
  });
});
