import { execFile, spawnSync } from "node:child_process";
import { readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { build } from "esbuild";
import { pipeline } from "../cli/warm-command.js";
import { makeFolder, makeWorkspace, PROJECT } from "../workspace.js";
import { startApi } from "./process.js";

/** A piece of docs/api.md that can be run, and what it prints. */
interface Example {
  readonly language: "sh" | "python" | "ts";
  readonly code: string;
  readonly prints: string;
  readonly isJson: boolean;
}

const TEXT = await readFile(path.join(PROJECT, "docs/api.md"), "utf8");
const EXAMPLES: readonly Example[] = examplesOf(TEXT);
const HAS_PYTHON = spawnSync("python3", ["--version"]).status === 0;

/** Every block of code that is followed by a block of what it prints. */
function examplesOf(text: string): Example[] {
  const pairs = text.matchAll(
    /^```(sh|python|ts)\n((?:(?!```).*\n)*)```\n\n```(json|text|csv)\n((?:(?!```).*\n)*)```$/gm,
  );
  return Array.from(pairs, ([, language, code = "", kind, prints = ""]) => ({
    language: language as Example["language"],
    code,
    prints,
    isJson: kind === "json",
  }));
}

let port: number;
let folder: string;
let stop: () => void;

beforeAll(async () => {
  folder = await makeFolder();
  const { environment } = await makeWorkspace();
  const sample = { ...environment, RAW_ZONE: path.join(PROJECT, "data/raw") };
  expect(await pipeline(["-e", "2020-05-29"], sample)).toMatchObject({ code: 0 });
  const api = startApi(sample, "all tests of the file");
  port = await api.port;
  stop = () => api.child.kill("SIGKILL");
  await generateTypes();
});

afterAll(() => {
  stop();
});

const running = promisify(execFile);
const local = (code: string) => code.replaceAll("127.0.0.1:8000", `127.0.0.1:${port.toString()}`);

/** Runs the documented command. This project's packages stand for those that a reader has installed. */
async function generateTypes(): Promise<void> {
  await symlink(path.join(PROJECT, "node_modules"), path.join(folder, "node_modules"));
  const [command] = /^npx openapi-typescript .*$/m.exec(TEXT) ?? [];
  if (command === undefined) throw new Error("docs/api.md generates no types");
  await running("bash", ["-euc", local(command)], { cwd: folder });
}

/** What an example prints, run as a reader would. */
async function output({ language, code }: Example): Promise<string> {
  switch (language) {
    case "sh":
      return (await running("bash", ["-euo", "pipefail", "-c", local(code)])).stdout;
    case "python":
      return (await running("python3", ["-c", local(code)])).stdout;
    case "ts":
      expect(await typeFaults(local(code))).toBe("");
      return (await running(process.execPath, [await compiled(local(code))])).stdout;
  }
}

/** What the compiler says of programs that use the generated types. */
async function typeFaults(...programs: readonly string[]): Promise<string> {
  const files = programs.map((_code, index) => `example-${index}.ts`);
  for (const [index, code] of programs.entries())
    await writeFile(path.join(folder, files[index] ?? ""), code);
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--types", "node"];
  const compiler = path.join(PROJECT, "node_modules/typescript/bin/tsc");
  const { stdout } = spawnSync(
    process.execPath,
    [compiler, ...options, "--moduleResolution", "bundler", "--target", "es2023", ...files],
    { cwd: folder, encoding: "utf8" },
  );
  return stdout;
}

async function compiled(code: string): Promise<string> {
  const source = path.join(folder, "example.ts");
  const outfile = path.join(folder, "example.mjs");
  await writeFile(source, code);
  await build({ entryPoints: [source], outfile, bundle: true, platform: "node", format: "esm" });
  return outfile;
}

describe("the examples of docs/api.md", () => {
  const runnable = EXAMPLES.filter(({ language }) => language !== "python" || HAS_PYTHON);

  it("exist in every language", () => {
    expect(new Set(EXAMPLES.map(({ language }) => language))).toEqual(new Set(["sh", "python", "ts"]));
  });

  it.each(runnable.map((example) => [example.language, example.code.split("\n")[0] ?? "", example] as const))(
    "in %s print the documented text: %s",
    async (_language, _code, example) => {
      const printed = await output(example);
      if (example.isJson) expect(JSON.parse(printed)).toEqual(JSON.parse(example.prints));
      else expect(printed.replaceAll("\r\n", "\n")).toBe(example.prints);
    },
  );
});

describe("the types that docs/api.md generates", () => {
  const { code } = EXAMPLES.find(({ language }) => language === "ts") ?? { code: "" };
  const WRONG: readonly (readonly [what: string, right: string, wrong: string])[] = [
    ["an address that the api lacks", 'GET("/voucher/most-used"', 'GET("/voucher/least-used"'],
    ["a parameter that is missing", "query: { customer: JSON.stringify(customer) }", "query: {}"],
    ["a field that the answer lacks", "original.data?.voucher_amount", "original.data?.amount"],
  ];
  let faults: string[];

  beforeAll(async () => {
    const programs = WRONG.map(([, right, wrong]) => local(code.replace(right, wrong)));
    faults = (await typeFaults(...programs)).split("\n");
  });

  it.each(WRONG.map(([what, right], index) => [what, right, index] as const))(
    "refuse %s",
    (_what, right, index) => {
      expect(code).toContain(right);
      expect(faults).toContainEqual(expect.stringMatching(new RegExp(`^example-${index}\\.ts.* error TS`)));
    },
  );
});
