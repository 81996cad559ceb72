import type { VNode } from "preact";
import { ago, DateOf, Name } from "../words.js";
import type { PastRun } from "./past-run.js";

/** How runs end, as people say it, with a sign for who looks over many of them. */
const OUTCOMES: Readonly<
  Record<PastRun["outcome"], { readonly kind: string; readonly sign: string; readonly words: string }>
> = {
  succeeded: { kind: "good", sign: "✓", words: "succeeded" },
  running: { kind: "underway", sign: "…", words: "is under way" },
  failed: { kind: "bad", sign: "✕", words: "failed" },
  cancelled: { kind: "warn", sign: "!", words: "was cancelled" },
  killed: { kind: "bad", sign: "✕", words: "was killed" },
};

/** `failed`. */
export function outcomeInWords({ outcome }: PastRun): string {
  return OUTCOMES[outcome].words;
}

/** How a run ended, with a sign before it. */
export function OutcomeOf({ run }: { readonly run: PastRun }): VNode {
  const { kind, sign, words } = OUTCOMES[run.outcome];
  return (
    <span class={`outcome ${kind}`}>
      <span aria-hidden="true">{sign}</span> {words}
    </span>
  );
}

/** The execution date of a run. */
export function RunDate({ run: { executionDate } }: { readonly run: PastRun }): VNode {
  return typeof executionDate === "string" ? <Name>{executionDate}</Name> : <DateOf date={executionDate} />;
}

/** Which run something is told of. */
export function OfRun({ run, now }: { readonly run: PastRun; readonly now: Date }): VNode {
  return (
    <p>
      Of the run for <RunDate run={run} />
      {run.startedAt !== undefined && `, begun ${ago(run.startedAt, now)}`}.
    </p>
  );
}
