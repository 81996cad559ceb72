import { PipelineError, messageOf } from "../base/errors.js";
import { cellsOf, readAnswersOf, USAGE_TABLE } from "../consumption/read-answers.js";
import { readPublications } from "../consumption/read-publications.js";
import { changeInWords, inRecord, diffOf } from "../record/changed-answers.js";
import type { AnswersDiff } from "../record/run-record.js";
import { weakAnswersOf } from "../record/weak-answers.js";
import { Answers } from "../voucher/published-answers.js";
import type { RunContext } from "./context.js";
import type { PreparedPublish } from "./publish.js";

const CHANGES_TOLD = 20;

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

/** The answers that are about to be published, and what they take the place of. */
interface ComparedAnswers {
  /** Undefined where nothing was published before. */
  readonly before: Answers | undefined;
  readonly diff: AnswersDiff;
}

/**
 * Compares what is about to be published with the answers that it takes the place of: those of the same execution date or, where
 * it was not published yet, of the one before. Takes down what differs, and which answers are weak.
 * @returns undefined where the SQL publishes no answers and no gate needs them, or where they could not be compared: without
 * a gate that is a warning.
 */
export async function compareAnswers(
  context: RunContext,
  publishing: PreparedPublish,
): Promise<ComparedAnswers | undefined> {
  const { activity, gate, journal } = context;
  try {
    const after = await stagedAnswers(context, publishing);
    if (after === undefined) return undefined;
    const before = await activity.during("comparing the answers", () => answersBefore(context));
    const diff = diffOf(before, after);
    journal.note({ answers: { changed: inRecord(diff), weak: weakAnswersOf(after) } });
    return { before, diff };
  } catch (error) {
    if (gate !== undefined) throw error;
    activity.warn(`the answers could not be compared with those before: ${messageOf(error)}`);
    return undefined;
  }
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

async function stagedAnswers(
  { gate, version }: RunContext,
  { publication, contents }: PreparedPublish,
): Promise<Answers | undefined> {
  const usage = contents.find(({ table }) => table.name === USAGE_TABLE);
  if (usage !== undefined)
    return new Answers(publication, version.segments, await cellsOf(usage.parts()), undefined);
  if (gate === undefined) return undefined;
  throw new PipelineError(
    "INVALID_MODEL",
    `the SQL version ${version.name} publishes no table ${USAGE_TABLE}, by which --max-changed counts`,
  );
}
