import { cellsOf, USAGE_TABLE } from "../consumption/answers.js";
import { readAnswersOf } from "../consumption/publication-answers.js";
import { readPublications } from "../consumption/publications.js";
import { PipelineError } from "../errors.js";
import { Answers } from "../voucher/answers.js";
import type { RunContext } from "./context.js";
import { diffOf, inWords, type AnswersDiff } from "./diff.js";
import type { PreparedPublish } from "./publish.js";

const CHANGES_TOLD = 20;

/** How many answers a publish may change before a person has to say that it may. */
export interface Gate {
  /** A number of answers, or a share of those that there were, from 0 to 1. */
  readonly maxChanged: { readonly answers: number } | { readonly share: number };
  /** Whether a person has said so. */
  readonly isApproved: boolean;
}

/** What a gate has found. */
export interface GateResult extends AnswersDiff {
  readonly max_changed: number;
  readonly outcome: "passed" | "approved" | "stopped";
}

/**
 * Holds what is about to be published against the answers that it takes the place of: those of the same execution date or,
 * where it was not published yet, of the one before.
 * @throws PipelineError TOO_MANY_CHANGES where more answers would change than may, and nobody has approved.
 */
export async function holdToGate(context: RunContext, publishing: PreparedPublish): Promise<void> {
  const { gate, journal } = context;
  if (gate === undefined) return;
  const before = await answersBefore(context);
  const diff = diffOf(before, stagedAnswers(context, publishing));
  const maxChanged =
    "answers" in gate.maxChanged
      ? gate.maxChanged.answers
      : Math.floor(gate.maxChanged.share * [...(before?.cells() ?? [])].length);
  const isWithin = diff.changes.length <= maxChanged;
  const outcome = isWithin ? "passed" : gate.isApproved ? "approved" : "stopped";
  journal.note({ gate: { ...diff, max_changed: maxChanged, outcome } });
  if (outcome === "stopped") throw tooManyChanges(diff, maxChanged);
}

async function answersBefore({
  activity,
  consumption,
  executionDate,
  settings,
}: RunContext): Promise<Answers | undefined> {
  const [publication] = await readPublications(consumption, { upTo: executionDate.partitionKey, limit: 1 });
  if (publication === undefined) return undefined;
  return readAnswersOf(consumption, publication, {
    sqlDirectory: settings.sqlDirectory,
    warn: activity.warn,
  });
}

function stagedAnswers({ version }: RunContext, { publication, contents }: PreparedPublish): Answers {
  const usage = contents.find(({ table }) => table.name === USAGE_TABLE);
  if (usage === undefined) {
    throw new PipelineError(
      "INVALID_MODEL",
      `the SQL version ${version.name} publishes no table ${USAGE_TABLE}, by which --max-changed counts`,
    );
  }
  return new Answers(publication, version.segments, cellsOf(usage.rows), undefined);
}

function tooManyChanges({ before, answers, changes }: AnswersDiff, maxChanged: number): PipelineError {
  const told = changes.slice(0, CHANGES_TOLD).map((change) => `\n  ${inWords(change)}`);
  const more = changes.length - told.length;
  return new PipelineError(
    "TOO_MANY_CHANGES",
    `${changes.length.toString()} of ${answers.toString()} answers would change since ${String(before)}, ` +
      `${maxChanged.toString()} may; nothing was published. Look at them, and run again with --approve:` +
      `${told.join("")}${more > 0 ? `\n  and ${more.toString()} more` : ""}`,
  );
}
