import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ESLint, Linter } from "eslint";
import { PROJECT } from "./workspace.js";

/** What the project's rule on imports says about a file, which need not exist. */
async function refusals(file: string, imported: string): Promise<string[]> {
  const config = (await new ESLint().calculateConfigForFile(file)) as {
    readonly rules: Linter.RulesRecord;
  };
  const rule = config.rules["no-restricted-imports"] ?? "off";
  return new Linter()
    .verify(`import "${imported}";`, { rules: { "no-restricted-imports": rule } })
    .map(({ message }) => message);
}

describe("the walls between the rooms of src", () => {
  it.each([
    ["src/api/main.ts", "../models/load.js"],
    ["src/api/pages/health.ts", "../../models/load.js"],
    ["src/api/pages/health/deeper/still.ts", "../../../../run/run.js"],
    ["src/zones/s3-zone.ts", "../run/observers/metrics/state.js"],
    ["src/run/observers/metrics/state.ts", "../../../cli/main.js"],
  ])("let %s not import %s", async (file, imported) => {
    expect(await refusals(file, imported)).toEqual([expect.stringContaining("see docs/architecture.md")]);
  });

  it.each([
    ["src/api/pages/health.ts", "../../consumption/open.js"],
    ["src/run/observers/metrics/state.ts", "../../../consumption/open.js"],
    ["src/introspect/doctor/storage.ts", "../../run/raw-input.js"],
  ])("let %s import %s", async (file, imported) => {
    expect(await refusals(file, imported)).toEqual([]);
  });
});

/** A file of `dist` with all that it loads, also later. */
async function bundled(file: string, known = new Set<string>()): Promise<string> {
  if (known.has(file)) return "";
  known.add(file);
  const text = await readFile(file, "utf8");
  const texts = [text];
  for (const [, other = ""] of text.matchAll(/"(\.\.?\/[\w-]+-[A-Z0-9]{8}\.js)"/g))
    texts.push(await bundled(path.join(path.dirname(file), other), known));
  return texts.join("\n");
}

describe("the built code", () => {
  it("loads the SDK that exports traces only when it exports", async () => {
    const dist = path.join(PROJECT, "dist");
    const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith(".js"));
    const sdk = /^\/\/ node_modules\/@opentelemetry\//m;
    const loading = new Set<string>();
    for (const program of [
      "cli/program.js",
      "api/program.js",
      ...files.filter((file) => file.startsWith("run-")),
    ])
      await loadedAtOnce(path.join(dist, program), loading);
    for (const file of loading)
      expect({ file, sdk: sdk.test(await readFile(file, "utf8")) }).toEqual({ file, sdk: false });
    expect(loading.size).toBeGreaterThan(10);
  });
});

/** Adds a file of `dist` and all that it loads before it does anything. */
async function loadedAtOnce(file: string, known: Set<string>): Promise<void> {
  if (known.has(file)) return;
  known.add(file);
  for (const [, other = ""] of (await readFile(file, "utf8")).matchAll(
    /^(?:\} from|import) "(\.\.?\/[\w-]+\.js)";/gm,
  ))
    await loadedAtOnce(path.join(path.dirname(file), other), known);
}

describe("the built code of the api", () => {
  /** As esbuild names each module above it. */
  const MAKES_RUNS =
    /^\/\/ (?:src\/(?:engine|zones|run|introspect)|node_modules\/@(?:duckdb|aws-sdk|smithy))\//m;

  it("reports runs, and has nothing that makes them: no engine, no storage", async () => {
    const api = await bundled(path.join(PROJECT, "dist/api/program.js"));
    expect(api).toContain("// src/record/story.ts");
    expect(MAKES_RUNS.exec(api)).toBeNull();
    expect(await bundled(path.join(PROJECT, "dist/cli/program.js"))).toMatch(MAKES_RUNS);
  });
});
