import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../cli/command.js";
import type { Workspace } from "../workspace.js";

/** When a run is killed: at a point that it passes, or some time after its start. */
export type Moment = { readonly point: string } | { readonly milliseconds: number };

/** How a run ended that was to be killed. */
export interface Killed {
  /** Undefined where it was killed. One that ends before its moment comes has an exit code. */
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

/** Starts the command line in a process of its own and kills it with SIGKILL. */
export async function killRun(
  { environment }: Workspace,
  args: readonly string[],
  moment: Moment,
  whileStopped: () => Promise<void>,
): Promise<Killed> {
  const running = start(
    args,
    "point" in moment ? { ...environment, TEST_FAILPOINT: moment.point } : environment,
  );
  if ("milliseconds" in moment) await sleep(moment.milliseconds);
  // A run that ends without has a code, which tells.
  else await running.said(`failpoint ${moment.point}\n`).then(whileStopped, () => undefined);
  running.kill("SIGKILL");
  const { code, stderr } = await running.ended;
  return { exitCode: code ?? undefined, stderr };
}

/** The points that a run passes, in their order. */
export async function pointsOf({ environment }: Workspace, args: readonly string[]): Promise<string[]> {
  const { stderr } = await start(args, { ...environment, TEST_FAILPOINT: "*" }).ended;
  return stderr.split("\n").flatMap((line) => /^failpoint (.+)$/.exec(line)?.[1] ?? []);
}

/** How a moment reads in a message. */
export function nameOf(moment: Moment): string {
  return "point" in moment ? `"${moment.point}"` : `${Math.round(moment.milliseconds)} ms`;
}
