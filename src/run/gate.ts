import { PipelineError, messageOf } from "../base/errors.js";
import { answersAmong, readAnswersOf } from "../consumption/read-answers.js";
import { readPublications } from "../consumption/read-publications.js";
import { answersReportOf, changeInWords, comparedIn, diffOf, inRecord } from "../record/answers.js";
import type { AnswersDiff, ChangedAnswer } from "../record/run-record.js";
import { sqlChangeSince } from "../record/sql-change.js";
import { Answers } from "../voucher/published-answers.js";
import type { Gate, RunContext } from "./context.js";
import type { PreparedPublish } from "./publish.js";

const CHANGES_TOLD = 20;

/**
 * Compares the new answers with those that they replace.
 * @throws PipelineError TOO_MANY_CHANGES if more answers would change than allowed, without an approval.
 */
export function holdToGate(
  { gate, journal }: Pick<RunContext, "gate" | "journal">,
  compared: ComparedAnswers | undefined,
): void {
  if (gate === undefined || compared === undefined) return;
  const { diff } = compared;
  const { counting, maxChanged } = countedBy(gate, compared);
  const isWithin = counting.length <= maxChanged;
  const outcome = isWithin ? "passed" : gate.isApproved ? "approved" : "stopped";
  const held = { max_changed: maxChanged, ignored_toss_ups: gate.ignoresTossUps, counted: counting.length };
  journal.note({ gate: { ...inRecord(diff), ...held, outcome } });
  if (outcome === "stopped") throw tooManyChanges(diff, counting, gate, maxChanged);
}

/** The changes that count for a limit, and the allowed number. */
export function countedBy(
  { maxChanged, ignoresTossUps }: Pick<Gate, "maxChanged" | "ignoresTossUps">,
  { before, diff }: ComparedAnswers,
): { readonly counting: readonly ChangedAnswer[]; readonly maxChanged: number } {
  return {
    counting: ignoresTossUps ? diff.changes.filter((change) => !isTossUp(change)) : diff.changes,
    maxChanged:
      "answers" in maxChanged ? maxChanged.answers : Math.floor(maxChanged.share * (before?.size ?? 0)),
  };
}

/**
 * Whether an answer changes by chance: it is a toss-up, and the earlier answer was one, too, or did not exist. A sure
 * answer that becomes a toss-up counts.
 */
function isTossUp({ before, after }: ChangedAnswer): boolean {
  return [before, after].every((answer) => answer === null || answer.certainty_word === "toss-up");
}

function tooManyChanges(
  diff: AnswersDiff,
  counting: readonly ChangedAnswer[],
  { ignoresTossUps }: Gate,
  maxChanged: number,
): PipelineError {
  const told = counting.slice(0, CHANGES_TOLD).map((change) => `\n  ${changeInWords(change)}`);
  const more = counting.length - told.length;
  return new PipelineError(
    "TOO_MANY_CHANGES",
    `${counting.length.toString()} of ${comparedIn(diff).toString()} answers would change since ${String(diff.before)}` +
      `${ignoresTossUps ? ", toss-ups not counted" : ""}, ` +
      `the limit is ${maxChanged.toString()}; nothing was published. Review the changes, then run again with --approve:` +
      `${told.join("")}${more > 0 ? `\n  and ${more.toString()} more` : ""}`,
  );
}

/** The new answers, and those that they replace. */
interface ComparedAnswers {
  /** Undefined if nothing was published before. */
  readonly before: Answers | undefined;
  readonly diff: AnswersDiff;
}

/**
 * Compares the new answers with those that they replace: the answers of the same execution date, or of the previous
 * one if it was not published yet. Notes the differences and the certainty.
 * @returns undefined if the SQL publishes no answers and no gate needs them, or if they cannot be compared. Without a
 * gate that is a warning.
 */
export async function compareAnswers(
  context: RunContext,
  publishing: PreparedPublish,
): Promise<ComparedAnswers | undefined> {
  const { activity, consumption, executionDate, gate, journal, settings, version } = context;
  try {
    const [earlier] = await readPublications(consumption, { upTo: executionDate.partitionKey, limit: 1 });
    if (earlier !== undefined)
      journal.note({ sql_change: await sqlChangeSince(consumption, earlier, version) });
    const after = await stagedAnswers(context, publishing);
    if (after === undefined) return undefined;
    const before = await activity.during("comparing the answers", async () =>
      earlier === undefined
        ? undefined
        : readAnswersOf(consumption, earlier, {
            sqlDirectory: settings.sqlDirectory,
            warn: activity.warn,
          }),
    );
    const diff = diffOf(before, after);
    journal.note({ answers: answersReportOf(after, diff) });
    return { before, diff };
  } catch (error) {
    if (gate !== undefined) throw error;
    activity.warn(`cannot compare the answers with the previous ones: ${messageOf(error)}`);
    return undefined;
  }
}

async function stagedAnswers(
  { gate, version }: RunContext,
  { publication, contents }: PreparedPublish,
): Promise<Answers | undefined> {
  const cells = await answersAmong(contents);
  if (cells !== undefined) return new Answers(publication, version, cells, undefined);
  if (gate === undefined) return undefined;
  throw new PipelineError(
    "INVALID_MODEL",
    `the SQL version ${version.name} publishes no answers, which --max-changed needs`,
  );
}
