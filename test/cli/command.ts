import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { afterAll } from "@jest/globals";
import { PROJECT } from "../workspace.js";
import { stillness } from "./stillness.js";

/** The command line as it ships. */
export const MAIN = path.join(PROJECT, "dist/cli/main.js");
/** The same with failpoints, which `TEST_FAILPOINT` arms. */
export const MAIN_WITH_FAILPOINTS = path.join(PROJECT, "dist-test/cli/main.js");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();

// One that stands still for a test that has failed would keep the tests from ending.
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** A run of the built command line in a process of its own. */
export interface Command {
  readonly ended: Promise<Ended>;
  /** Resolves when the process has said a text on standard error; rejects where it ends without. */
  said(text: string): Promise<void>;
  /** Resolves when the process stands still at a failpoint, so that a SIGCONT is not sent before it does. */
  stoodAt(failpoint: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * @param input what comes by standard input; there is none unless given.
 * @param module what is run in the place of the command line; unless given, the one with failpoints if one is armed.
 * @param folder where it is started; unless given, in that of this process.
 */
export function start(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
  module = environment["TEST_FAILPOINT"] === undefined ? MAIN : MAIN_WITH_FAILPOINTS,
  folder?: string,
): Command {
  const child = spawn(process.execPath, [module, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  running.add(child);
  child.stdin?.end(input);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  const said = async (text: string) => {
    while (!stderr.includes(text)) {
      const heard = child.stderr === null ? [] : [once(child.stderr, "data")];
      const isOver = await Promise.race([
        ended.then(() => true),
        ...heard.map((more) => more.then(() => false)),
      ]);
      if (isOver && !stderr.includes(text)) throw new Error(`it ended without "${text}": ${stderr}`);
    }
  };
  return {
    ended,
    said,
    stoodAt: async (failpoint) => {
      await said(`failpoint ${failpoint}\n`);
      if (child.pid !== undefined) await stillness(child.pid);
    },
    kill: (signal) => child.kill(signal),
  };
}

export function pipeline(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
  folder?: string,
): Promise<Ended> {
  return start(args, environment, input, undefined, folder).ended;
}
