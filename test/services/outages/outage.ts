import { setTimeout as sleep } from "node:timers/promises";
import { pipeline, type Ended } from "../../cli/command.js";
import { EXECUTION_DATE } from "../../run/running.js";
import type { Lake, Visible } from "./lake.js";
import { runUntil } from "./standing-still.js";

/** What is wrong with a service, and for how long. */
export interface Fault {
  readonly name: string;
  begin(): Promise<void> | void;
  /** Has the service be as before. */
  end(): Promise<void> | void;
  /** After how many milliseconds it passes; undefined where it stays until the run has ended. */
  readonly passesAfter?: number;
  /** What the run is started with beside its date, as a time limit. */
  readonly args?: readonly string[];
  /** How the run reaches the service, where not directly. */
  readonly environment?: Record<string, string>;
}

export const BEFORE_THE_RUN = "before the run";

/** What may go on for longest: a service that is silent for good, without a time limit. */
const BOUND_MILLISECONDS = 240_000;

/** How a run with an outage ended: exit 0, exit 4 with the code of its fault, or that it was not reached. */
export interface Outage {
  readonly outcome: string;
  readonly seconds: number;
  /** What was promised and not kept. */
  readonly violations: readonly string[];
}

/** Has a run meet a fault at a moment, brings the service back, and looks at what the run has left and at what the next one makes. */
export async function meetFault(lake: Lake, moment: string, fault: Fault, raw: 0 | 1): Promise<Outage> {
  const [before, after] = raw === 0 ? [lake.states[1], lake.states[0]] : lake.states;
  await lake.putRaw(raw);
  const isBefore = moment === BEFORE_THE_RUN;
  if (isBefore) await fault.begin();
  const run = await runUntil(isBefore ? undefined : moment, ["-e", EXECUTION_DATE, ...(fault.args ?? [])], {
    ...lake.environment,
    ...fault.environment,
  });
  const begun = performance.now();
  if (!isBefore && run.isThere) {
    await fault.begin();
    run.goOn();
  }
  if (fault.passesAfter !== undefined) {
    await sleep(fault.passesAfter);
    await fault.end();
  }
  const ended = await Promise.race([run.ended, sleep(BOUND_MILLISECONDS, undefined, { ref: false })]);
  const seconds = (performance.now() - begun) / 1_000;
  await fault.end();
  if (ended === undefined) return { outcome: "hangs", seconds, violations: ["it has not ended in time"] };

  const violations = [...wrongEnd(ended), ...wrongState(ended, await lake.visible(), before, after)];
  const next = await pipeline(["-e", EXECUTION_DATE, "--wait", "60s"], lake.environment);
  if (next.code !== 0) violations.push(`the next run ends with ${String(next.code)}: ${next.stderr}`);
  if (JSON.stringify(await lake.visible()) !== JSON.stringify(after))
    violations.push("the next run makes another state than an undisturbed one");
  const staged = await lake.staged();
  if (staged.length > 0) violations.push(`left in staging: ${staged.join(", ")}`);
  const [, code] = /^error ([A-Z_]+):/m.exec(ended.stderr) ?? [];
  const outcome = `${run.isThere ? "" : "not reached, "}exit ${String(ended.code)} ${code ?? ""}`.trim();
  return { outcome, seconds, violations: violations.map((violation) => `${violation}\n${ended.stderr}`) };
}

function wrongEnd({ code, stderr }: Ended): string[] {
  if (code !== 0 && code !== 4) return [`it ends with ${String(code)}`];
  if (/\n\s+at /.test(stderr)) return ["it shows a stack"];
  const named = /^error (STORAGE_FAILED|CONSUMPTION_UNAVAILABLE|TIMED_OUT): /m;
  return code === 4 && !named.test(stderr) ? ["it names no cause"] : [];
}

function wrongState({ code, stderr }: Ended, found: Visible, before: Visible, after: Visible): string[] {
  if (code === 0) {
    return JSON.stringify(found) === JSON.stringify(after)
      ? []
      : ["it has succeeded, and its state is not there"];
  }
  const wrong: string[] = [];
  if (found.published !== before.published && found.published !== after.published)
    wrong.push("the database is neither as before nor as after");
  for (const [key, hash] of Object.entries(found.files)) {
    if (hash !== before.files[key] && hash !== after.files[key]) wrong.push(`${key} is neither old nor new`);
  }
  const isTold =
    /^warning: .* has unpublished rows|the run was cancelled;|was killed\.|could not be given back/m.test(
      stderr,
    );
  if (!isTold && JSON.stringify(found.files) !== JSON.stringify(before.files))
    wrong.push("the zones are not as before, and nothing says so");
  return wrong;
}
