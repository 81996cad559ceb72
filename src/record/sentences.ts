import { FAULTS, type FaultKind } from "../base/errors.js";
import { printable, counted, counting, percent } from "../base/words.js";
import type { CertaintyCounts } from "../voucher/certainty.js";
import { dateInWords, maybeExecutionDate } from "../voucher/execution-date.js";
import { comparedIn, countsInWords } from "./answers.js";
import { describeThreshold } from "./findings-in-words.js";
import type { ToldRun } from "./past-run.js";
import { rejectReasonsOf, rowCountsOf } from "./row-counts.js";
import type { AnswersDiff, AuditResult, RunReport, SqlChange } from "./run-record.js";
import { sqlChangeInWords } from "./sql-change.js";

/**
 * A run in five sentences for people who know vouchers and no pipelines: the outcome, the data, the changes for
 * customers, the certainty of the answers, and the next step. A table with a new column has another sentence.
 */
export function sentencesOf(run: ToldRun): readonly string[] {
  return [
    outcomeSentence(run),
    rowsSentence(run),
    changesSentence(run),
    certaintySentence(run),
    ...newColumnSentences(run),
    dutySentence(run),
  ];
}

/** The columns that the run added to published tables. */
export function newColumnSentences({ report: { new_columns } }: ToldRun): readonly string[] {
  return new_columns.map(
    ({ table, columns }) =>
      `The table ${printable(table)} has ${counting(columns.length, "new column")}: ${columns.map(printable).join(", ")}. ` +
      "Earlier dates have no value in it until they are backfilled.",
  );
}

/** The two most important sentences of a failed run: its outcome, and the next step. */
export function outcomeAndDutyOf(run: ToldRun): readonly string[] {
  return [outcomeSentence(run), dutySentence(run)];
}

/** The execution date of a run in words: `29 May 2020`. An invalid date in a damaged record stays as it is. */
export function dateOf(iso: string): string {
  const date = maybeExecutionDate(iso);
  return date === undefined ? printable(iso) : dateInWords(date);
}

/** The outcome, and the answers that readers see. */
export function outcomeSentence({ outcome, report, withdrawals = [] }: ToldRun): string {
  const date = dateOf(report.execution_date);
  const { published, stages } = report;
  if (outcome === "running") return `The run for ${date} is in progress.`;
  if (outcome !== "succeeded")
    return `The run for ${date} ${HAS_ENDED[outcome]} and published nothing. Customers still get the previous vouchers.`;
  if (published === null) {
    return stages.includes("publish")
      ? `The run for ${date} succeeded. Its publication is unknown.`
      : `The run for ${date} finished (${stages.join(", ")}). It was not asked to publish.`;
  }
  if (published.withdrawn !== null)
    return `The voucher answers for ${date} are the same that were withdrawn. They stay withdrawn, so nobody gets them.`;
  if (withdrawals.some((withdrawal) => withdrawal.outcome === "withdrawn"))
    return `The voucher answers for ${date} were published and later withdrawn, so nobody gets them.`;
  const seen =
    published.newest === report.execution_date
      ? ""
      : `; readers still get the answers for ${published.newest === null ? "no date" : dateOf(published.newest)}`;
  return published.isNew
    ? `The voucher answers for ${date} are published${seen}.`
    : `The voucher answers for ${date} are unchanged: readers already had this data${seen}.`;
}

const HAS_ENDED = {
  failed: "failed",
  cancelled: "was cancelled before it finished",
  killed: "was killed before it finished",
} as const;

/** The numbers of used, rejected and later rows. */
export function rowsSentence({ outcome, report }: ToldRun): string {
  const counts = rowCountsOf(report);
  if (counts === undefined) {
    if (!report.stages.includes("curate"))
      return "It read no raw files. It used the curated data of an earlier run.";
    return outcome === "succeeded"
      ? "The number of used rows is unknown."
      : "It ended before it counted the rows.";
  }
  const { read, rejected, outOfScope, curated } = counts;
  const late = outOfScope === 0 ? "none" : counted(outOfScope);
  return (
    `${counted(curated)} of ${counting(read, "row")} ${curated === 1 ? "is" : "are"} used; ` +
    `${rejected === 0 ? "none was rejected" : rejectedInWords(report, rejected, rejected / read)}, and ${late} came after that date.`
  );
}

function rejectedInWords(report: RunReport, rejected: number, share: number): string {
  const [mostly] = rejectReasonsOf(report);
  const why = mostly === undefined ? "" : `, most often for ${mostly.reason.replaceAll("_", " ")}`;
  const were = rejected === 1 ? "was" : "were";
  return `${counted(rejected)} (${percent(share)}) ${were} rejected because a value is missing or invalid${why}`;
}

/** The number of answers that changed for readers. */
export function changesSentence({ outcome, report }: ToldRun): string {
  if (report.answers === null) {
    if (outcome !== "succeeded") return "It ended before it compared the answers.";
    return report.stages.includes("publish")
      ? "The changed answers are unknown."
      : "It did not change the answers for customers.";
  }
  const { gate, published } = report;
  const { before, after } = report.answers.changed;
  const isSeen = published !== null && published.withdrawn === null;
  const since = before === after ? "the previous publication of this date" : undefined;
  const limit = gate === null || before === null ? "" : ` ${gateInWords(gate)}`;
  return `${changesInWords(report.answers.changed, { isSeen, since })}${limit}`;
}

/**
 * `4 of 40 answers changed since 28 May 2020.`
 * @param isSeen whether readers see the change.
 * @param since names the earlier publication. The default is its date.
 */
export function changesInWords(
  diff: AnswersDiff,
  { isSeen, since }: { readonly isSeen: boolean; readonly since: string | undefined },
): string {
  const { before, answers, count } = diff;
  if (before === null) return `${counting(answers, "answer")}. There is no earlier publication to compare.`;
  const all = counting(comparedIn(diff), "answer");
  return `${counted(count)} of ${all} ${isSeen ? "changed" : "would change"} since ${since ?? dateOf(before)}.`;
}

/** The decision of the gate, as a sentence. */
export function gateInWords(
  gate: Pick<
    NonNullable<RunReport["gate"]>,
    "count" | "counted" | "ignored_toss_ups" | "max_changed" | "outcome"
  >,
): string {
  const limit = counted(gate.max_changed);
  const those = gate.ignored_toss_ups
    ? `; ${counted(gate.counted ?? gate.count)} of these are not toss-ups`
    : "";
  return `The limit is ${limit} (--max-changed)${those}: ${gate.outcome}.`;
}

/** The certainty of the answers of a run. */
export function certaintySentence({ outcome, report: { answers, stages } }: ToldRun): string {
  if (answers === null) {
    if (outcome !== "succeeded") return "It ended before it computed the certainty of the answers.";
    return stages.includes("publish")
      ? "The certainty of the answers is unknown."
      : "The certainty of the answers is shown after they are published.";
  }
  return certaintyOfAnswers(answers.changed.answers, answers.certainty);
}

/** The certainty of the answers, as a sentence. */
export function certaintyOfAnswers(answers: number, certainty: CertaintyCounts | null): string {
  if (certainty === null) return "The certainty of the answers is unknown.";
  if (answers === 0) return "There are no answers.";
  const advice = certainty["toss-up"] === 0 ? "" : ". Do not stake a campaign on a toss-up";
  return `${counting(answers, "answer")}: ${countsInWords(certainty)}${advice}.`;
}

/** How the SQL differs from that of the publication before. */
export function sqlSentence(change: SqlChange): string {
  return `The SQL changed since ${dateOf(change.before)}: ${sqlChangeInWords(change)}.`;
}

/** Audits that passed although some rows fail, each as `name on table: 3 of 40 rows, 7.5%; 10% allowed`. */
export function toleratedInWords({ audits, tables }: RunReport): string[] {
  return audits
    .filter(({ outcome, broken }) => outcome === "passed" && broken > 0)
    .map((audit) => {
      const rows = tables.find(({ model }) => model === audit.model)?.rows;
      return `${audit.audit} on ${audit.model}: ${brokenInWords(audit, rows)}`;
    });
}

function brokenInWords({ broken, threshold }: AuditResult, rows: number | undefined): string {
  const allowed = `${describeThreshold(threshold)} allowed`;
  if (rows === undefined || rows === 0) return `${counting(broken, "row")}; ${allowed}`;
  return `${counted(broken)} of ${counting(rows, "row")}, ${percent(broken / rows)}; ${allowed}`;
}

/** The results of the checks, and the next step. */
export function dutySentence({ outcome, fault, report: { audits, stages } }: ToldRun): string {
  if (fault !== undefined) return DUTIES[kindOf(fault.code)];
  if (outcome === "killed") return "Its process or machine was killed. Run it again.";
  if (outcome === "running") return "This report shows the state at its last sign of life.";
  const warned = audits.filter((audit) => audit.outcome === "warned").length;
  const passed = counting(audits.length - warned, "check");
  if (audits.length === 0) {
    return stages.every((stage) => stage === "publish")
      ? "There is nothing to do. No checks ran again."
      : "The results of its checks are unknown.";
  }
  return warned === 0
    ? `${audits.length === 1 ? "The only check" : `All ${passed}`} passed. There is nothing to do.`
    : `${passed} passed and ${counted(warned)} warn${warned === 1 ? "s" : ""}. Check the data when there is time.`;
}

/** The next step after a fault, by its kind. */
const DUTIES: Readonly<Record<FaultKind | "bug", string>> = {
  usage: "Its settings or SQL are invalid. An engineer must fix them before the next run.",
  data: "The data failed a check. Fix the data first; a retry alone fails again.",
  unavailable: "Storage or a database was not available. Run it again later.",
  locked: "Another run of the same date was in progress. There is nothing to do unless that run fails.",
  cancelled: "It was cancelled, or its machine was shut down. Run it again.",
  bug: "This is a bug in the pipeline. An engineer must look at it.",
};

function kindOf(code: string): FaultKind | "bug" {
  return code in FAULTS ? FAULTS[code as keyof typeof FAULTS] : "bug";
}
