import { spawn } from "node:child_process";
import path from "node:path";
import { PROJECT } from "../workspace.js";

export const MAIN = path.join(PROJECT, "dist/cli/main.js");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the built command line in a process of its own. */
export interface Command {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** @param input what comes by standard input; there is none unless given. */
export function start(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
): Command {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.end(input);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return {
    ended: new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        resolve({ code, stdout, stderr });
      });
    }),
    kill: (signal) => child.kill(signal),
  };
}

export function pipeline(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
): Promise<Ended> {
  return start(args, environment, input).ended;
}
