import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { makeFolder, PROJECT } from "../workspace.js";
import { blocksOf, patternOf, type Block } from "./document.js";

const MINUTES = 60_000;
const TUTORIAL = "docs/tutorial.md";
/** What makes npm install for this machine alone is left to it: the rest is as on a machine that is new. */
const KEPT =
  /^(PATH|HOME|TMPDIR|LANG|XDG_CACHE_HOME|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|https?_proxy)$/i;

let clone = "";
let port = 0;
const services: ChildProcess[] = [];

/** A step of a reader: what is typed or written, and what is seen then. */
interface Step {
  readonly block: Block;
  readonly shown: string | undefined;
}

const steps = stepsOf(blocksOf(await readFile(path.join(PROJECT, TUTORIAL), "utf8")));

function stepsOf(blocks: readonly Block[]): Step[] {
  return blocks.flatMap((block, index) => {
    if (["text", "json"].includes(block.language)) return [];
    const next = blocks[index + 1];
    const isOutput = next !== undefined && ["text", "json"].includes(next.language);
    return [{ block, shown: isOutput ? next.content : undefined }];
  });
}

beforeAll(async () => {
  port = await freePort();
  clone = path.join(await makeFolder(), "voucher-pipeline");
  const { stdout } = await promisify(execFile)(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: PROJECT, maxBuffer: 16 * 1024 * 1024 },
  );
  for (const file of stdout.split("\0").filter((name) => name !== "")) {
    await cp(path.join(PROJECT, file), path.join(clone, file)).catch(ignoreDeleted);
  }
});

afterAll(async () => {
  for (const service of services.filter(({ exitCode }) => exitCode === null)) {
    if (service.pid !== undefined) process.kill(-service.pid, "SIGTERM");
    await once(service, "exit");
  }
});

/** A file that is deleted and not committed yet is still listed. */
function ignoreDeleted(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

describe("the tutorial", () => {
  it(
    "starts after the first command of the README",
    async () => {
      const [first] = blocksOf(await readFile(path.join(PROJECT, "README.md"), "utf8"));
      const [command = ""] = first?.content.split("\n") ?? [];
      expect(command).toMatch(/^npm ci && npm run pipeline /);
      expect(await typed(command)).toMatch(/^The voucher answers for .* are published\.$/m);
    },
    10 * MINUTES,
  );

  it.each(steps.map((step) => [`${TUTORIAL}:${step.block.line.toString()}`, step] as const))(
    "does what it says at %s",
    async (_place, { block, shown }) => {
      if (block.language !== "sh") {
        const file = path.join(clone, block.file);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, block.content);
        return;
      }
      const output = await typed(block.content);
      if (shown !== undefined) expect(output).toMatch(patternOf(shown));
    },
    10 * MINUTES,
  );

  it("has something to do", () => {
    expect(steps.length).toBeGreaterThan(10);
  });
});

/** Types lines into a shell, and gives what a reader sees then. What does not end by itself, as a server, is left running. */
async function typed(lines: string): Promise<string> {
  // Another service of this machine may have the port.
  const script = lines.replaceAll(":8000", `:${port.toString()}`);
  const shell = spawn("bash", ["-e", "-o", "pipefail", "-c", `exec 2>&1\n${script}`], {
    cwd: clone,
    env: environment(),
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  services.push(shell);
  let output = "";
  shell.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const isServer = /^npm run( --silent)? api$/m.test(lines);
  const [code] = (await Promise.race([
    once(shell, "close"),
    ...(isServer ? [untilListening(shell.stdout)] : []),
  ])) as [number | null];
  if (code !== 0) throw new Error(`it ended with ${String(code)}:\n${output}`);
  return output;
}

function untilListening(stdout: NodeJS.ReadableStream): Promise<[number]> {
  return new Promise((resolve) => {
    stdout.on("data", (text: string) => {
      if (text.includes("listening on")) resolve([0]);
    });
  });
}

function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => KEPT.test(name));
  return { ...Object.fromEntries(kept), PORT: port.toString() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return free;
}
