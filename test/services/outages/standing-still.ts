import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll } from "@jest/globals";
import { MAIN, MAIN_WITH_FAILPOINTS, type Ended } from "../../cli/command.js";
import { stillness } from "../../cli/stillness.js";

/** A run that stands still at a failpoint, or has ended without passing it. */
export interface StandingRun {
  /** Whether it came to the failpoint. */
  readonly isThere: boolean;
  readonly ended: Promise<Ended>;
  /** Has it go on. */
  goOn(): void;
  kill(signal: NodeJS.Signals): void;
}

const alive = new Set<() => void>();

afterAll(() => {
  for (const end of alive) end();
});

/**
 * Starts the built command line and waits until it stands still at a failpoint.
 * @param failpoint undefined for one that shall not stand still, and is not waited for.
 */
export async function runUntil(
  failpoint: string | undefined,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<StandingRun> {
  const child = spawn(process.execPath, [failpoint === undefined ? MAIN : MAIN_WITH_FAILPOINTS, ...args], {
    env: {
      PATH: process.env["PATH"],
      ...(failpoint === undefined ? {} : { TEST_FAILPOINT: failpoint }),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = () => child.kill("SIGKILL");
  alive.add(end);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      alive.delete(end);
      resolve({ code, stdout, stderr });
    });
  });
  const isThere = await new Promise<boolean>((resolve) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (failpoint !== undefined && stderr.includes(`failpoint ${failpoint}\n`)) resolve(true);
    });
    if (failpoint === undefined) resolve(true);
    void ended.then(() => {
      resolve(false);
    });
  });
  // With a time limit it is a child of the process that stands still.
  const standing = () => childrenOf(child.pid ?? 0)[0] ?? child.pid ?? 0;
  if (isThere && failpoint !== undefined) await stillness(standing());
  return {
    isThere,
    ended,
    goOn: () => process.kill(standing(), "SIGCONT"),
    kill: (signal) => child.kill(signal),
  };
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid.toString()}/task/${pid.toString()}/children`, "utf8");
  return children.trim().split(" ").filter(Boolean).map(Number);
}
