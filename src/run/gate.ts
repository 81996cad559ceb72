import { PipelineError } from "../base/errors.js";
import { changeInWords, inRecord } from "../record/changed-answers.js";
import type { AnswersDiff } from "../record/run-record.js";
import type { ComparedAnswers } from "./answers.js";
import type { RunContext } from "./context.js";

const CHANGES_TOLD = 20;

/** How many answers a publish may change before a person has to say that it may. */
export interface Gate {
  /** A number of answers, or a share of those that there were, from 0 to 1. */
  readonly maxChanged: { readonly answers: number } | { readonly share: number };
  /** Whether a person has said so. */
  readonly isApproved: boolean;
}

/**
 * Holds what is about to be published against the answers that it takes the place of.
 * @throws PipelineError TOO_MANY_CHANGES where more answers would change than may, and nobody has approved.
 */
export function holdToGate(
  { gate, journal }: Pick<RunContext, "gate" | "journal">,
  compared: ComparedAnswers | undefined,
): void {
  if (gate === undefined || compared === undefined) return;
  const { before, diff } = compared;
  const maxChanged =
    "answers" in gate.maxChanged
      ? gate.maxChanged.answers
      : Math.floor(gate.maxChanged.share * (before?.size ?? 0));
  const isWithin = diff.count <= maxChanged;
  const outcome = isWithin ? "passed" : gate.isApproved ? "approved" : "stopped";
  journal.note({ gate: { ...inRecord(diff), max_changed: maxChanged, outcome } });
  if (outcome === "stopped") throw tooManyChanges(diff, maxChanged);
}

function tooManyChanges({ before, answers, count, changes }: AnswersDiff, maxChanged: number): PipelineError {
  const told = changes.slice(0, CHANGES_TOLD).map((change) => `\n  ${changeInWords(change)}`);
  const more = count - told.length;
  return new PipelineError(
    "TOO_MANY_CHANGES",
    `${count.toString()} of ${answers.toString()} answers would change since ${String(before)}, ` +
      `${maxChanged.toString()} may; nothing was published. Look at them, and run again with --approve:` +
      `${told.join("")}${more > 0 ? `\n  and ${more.toString()} more` : ""}`,
  );
}
