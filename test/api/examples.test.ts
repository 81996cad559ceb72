import { execFile, spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { build } from "esbuild";
import { pipeline } from "../cli/command.js";
import { makeFolder, makeWorkspace, PROJECT } from "../workspace.js";
import { startApi } from "./process.js";

/** A piece of docs/api.md that can be run, and what it prints. */
interface Example {
  readonly language: "sh" | "python" | "ts";
  readonly code: string;
  readonly prints: string;
  readonly isJson: boolean;
}

const EXAMPLES: readonly Example[] = examplesOf(await readFile(path.join(PROJECT, "docs/api.md"), "utf8"));
const HAS_PYTHON = spawnSync("python3", ["--version"]).status === 0;

/** Every block of code that is followed by a block of what it prints. */
function examplesOf(text: string): Example[] {
  const pairs = text.matchAll(/^```(sh|python|ts)\n(.*?)^```\n\n```(json|text|csv)\n(.*?)^```$/gms);
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
});

afterAll(() => {
  stop();
});

/** What an example prints, run as a reader would. */
async function output({ language, code }: Example): Promise<string> {
  const local = code.replaceAll("127.0.0.1:8000", `127.0.0.1:${port.toString()}`);
  const running = promisify(execFile);
  switch (language) {
    case "sh":
      return (await running("bash", ["-euo", "pipefail", "-c", local])).stdout;
    case "python":
      return (await running("python3", ["-c", local])).stdout;
    case "ts":
      return (await running(process.execPath, [await compiled(local)])).stdout;
  }
}

async function compiled(code: string): Promise<string> {
  const source = path.join(folder, "example.ts");
  const outfile = path.join(folder, "example.mjs");
  await writeFile(source, code);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    alias: { "voucher-pipeline/client": path.join(PROJECT, "src/client/voucher-client.ts") },
  });
  return outfile;
}

describe("the examples of docs/api.md", () => {
  const runnable = EXAMPLES.filter(({ language }) => language !== "python" || HAS_PYTHON);

  it("are there in every language", () => {
    expect(new Set(EXAMPLES.map(({ language }) => language))).toEqual(new Set(["sh", "python", "ts"]));
  });

  it.each(runnable.map((example) => [example.language, example.code.split("\n")[0] ?? "", example] as const))(
    "in %s print what they say: %s",
    async (_language, _code, example) => {
      const printed = await output(example);
      if (example.isJson) expect(JSON.parse(printed)).toEqual(JSON.parse(example.prints));
      else expect(printed.replaceAll("\r\n", "\n")).toBe(example.prints);
    },
  );
});
