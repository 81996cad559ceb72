import { setTimeout as sleep } from "node:timers/promises";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { pipeline } from "../cli/command.js";
import { readTable } from "../consumption/reading.js";
import { PLACE } from "../place.js";
import { EXECUTION_DATE } from "../run/running.js";
import type { Workspace } from "../workspace.js";
import { killRun, nameOf, type Moment } from "./killing.js";
import type { Passage } from "./lake.js";
import { leftovers } from "./leftovers.js";
import { faultsAgainst, faultsBetween, look, type Seen } from "./seen.js";
import type { Tally } from "./tally.js";

/** How long a server may take to find out that a process is dead. */
const LOCK_MILLISECONDS = 2_000;

/**
 * Kills a command at a moment, and where there are more moments when it is run again; then runs it again undisturbed. Looks
 * as readers do while the command stands still, after each kill and at the end.
 * @returns every promise that was broken, with all that is needed to break it again.
 */
export async function crash(passage: Passage, moments: readonly Moment[], tally: Tally): Promise<string[]> {
  const faults: string[] = [];
  let seen = passage.before;
  for (const moment of moments) seen = await killAt(passage, moment, tally, faults);
  await passage.mend();
  faults.push(...(await runAgain(passage, seen, tally)));
  const killed = `${PLACE}, ${passage.kind} (pipeline ${passage.args.join(" ")}) killed at ${moments.map(nameOf).join(", then at ")}`;
  return faults.map((fault) => `${killed}: ${fault}`);
}

/** Adds to the faults, and gives what readers see then. */
async function killAt(
  { args, before, exitCode, furthest, workspace }: Passage,
  moment: Moment,
  tally: Tally,
  faults: string[],
): Promise<Seen> {
  const lookAround = async (when: string) => {
    const seen = await look(workspace.settings);
    faults.push(...faultsBetween(seen, before, furthest).map((fault) => `${when} the kill ${fault}`));
    return seen;
  };
  const ended = await killRun(workspace, args, moment, async () => {
    await lookAround("before");
  });
  if (ended.exitCode === undefined)
    tally.tried("point" in moment ? "kills at failpoints" : "kills at random times");
  else tally.tried("runs that ended before they were to be killed");
  if (ended.exitCode !== undefined && ("point" in moment || ended.exitCode !== exitCode))
    faults.push(`it ended by itself with ${ended.exitCode}: ${ended.stderr}`);
  const locked = await millisecondsLocked(workspace);
  tally.most("milliseconds until a lock was free, at most", locked);
  if (locked > LOCK_MILLISECONDS) faults.push(`the lock was not free after ${locked} ms`);
  const seen = await lookAround("after");
  tally.saw(seen, before, furthest);
  return seen;
}

async function runAgain(
  { after, args, workspace }: Passage,
  { runs }: Pick<Seen, "runs">,
  tally: Tally,
): Promise<string[]> {
  const { code, stderr } = await pipeline(args, workspace.environment);
  const seen = await look(workspace.settings);
  const faults = [
    ...(code === 0 ? [] : [`it ended with ${code ?? "a signal"}: ${stderr}`]),
    ...faultsAgainst(seen, after),
    ...faultyRuns(runs, seen.runs),
    ...(await leftovers(workspace.settings, seen)).map((name) => `${name} is left`),
  ];
  if (Object.keys(runs).some((run) => runs[run] === "running" && seen.runs[run] === "killed"))
    tally.came("the run that was killed is recorded as killed");
  if (faults.length === 0) tally.came("equal to an undisturbed run after the next one");
  return faults.map((fault) => `run again, ${fault}`);
}

/** Runs that have died are found as killed, the last one has succeeded, and no other outcome has changed. */
function faultyRuns(before: Seen["runs"], after: Seen["runs"]): string[] {
  const expected = (run: string) => {
    const was = before[run] ?? "running";
    return was === "running" ? "killed" : was;
  };
  const others = Object.keys(after).filter((run) => after[run] !== expected(run));
  const isLast = (run: string) => before[run] === undefined && after[run] === "succeeded";
  if (others.length === 1 && others.every(isLast)) return [];
  const outcomes = others.map((run) => `${run} as ${after[run] ?? ""} after ${before[run] ?? "nothing"}`);
  return [`it is not recorded as the only one that has succeeded: ${outcomes.join(", ") || "nothing is"}`];
}

/** How long it takes until the lock of a dead run is free. Where it is the kernel's, it goes with the process. */
async function millisecondsLocked({ settings }: Workspace): Promise<number> {
  if (!settings.consumptionUrl.startsWith("mysql:")) return 0;
  const started = performance.now();
  const database = new URL(settings.consumptionUrl).pathname.slice(1);
  const lock = `${database}:${parseExecutionDate(EXECUTION_DATE).partitionKey}`;
  for (;;) {
    const [answer] = await readTable(settings, `SELECT IS_FREE_LOCK('${lock}') AS is_free`);
    const milliseconds = Math.round(performance.now() - started);
    if ((answer as { is_free: number }).is_free === 1 || milliseconds > LOCK_MILLISECONDS)
      return milliseconds;
    await sleep(5);
  }
}
