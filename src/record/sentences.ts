import { FAULTS, type FaultKind } from "../base/errors.js";
import { printable, counted, counting, percent } from "../base/words.js";
import type { CertaintyCounts } from "../voucher/certainty.js";
import { dateInWords, maybeExecutionDate } from "../voucher/execution-date.js";
import { countsInWords } from "./answers.js";
import { describeThreshold } from "./findings-in-words.js";
import type { ToldRun } from "./past-run.js";
import { rejectReasonsOf, rowCountsOf } from "./row-counts.js";
import type { AuditResult, RunReport } from "./run-record.js";

/**
 * A run in five sentences for people who know vouchers and no pipelines: what came of it, what became of the data, what changes
 * for customers, how sure the answers are, and what there is to do.
 */
export function sentencesOf(run: ToldRun): readonly string[] {
  return [
    outcomeSentence(run),
    rowsSentence(run),
    changesSentence(run),
    certaintySentence(run),
    dutySentence(run),
  ];
}

/** The two of these sentences that matter most if a run has failed: what came of it, and what there is to do. */
export function outcomeAndDutyOf(run: ToldRun): readonly string[] {
  return [outcomeSentence(run), dutySentence(run)];
}

/** The execution date of a run in words: `29 May 2020`. What is none, as in a record that was changed by hand, stays as it is. */
export function dateOf(iso: string): string {
  const date = maybeExecutionDate(iso);
  return date === undefined ? printable(iso) : dateInWords(date);
}

/** What came of it, and what readers see. */
export function outcomeSentence({ outcome, report, withdrawals = [] }: ToldRun): string {
  const date = dateOf(report.execution_date);
  const { published, stages } = report;
  if (outcome === "running") return `The run for ${date} is under way.`;
  if (outcome !== "succeeded")
    return `The run for ${date} ${HAS_ENDED[outcome]} and published nothing: customers get the vouchers that they got before.`;
  if (published === null) {
    return stages.includes("publish")
      ? `The run for ${date} succeeded; what it published is not known.`
      : `The run for ${date} did what it was asked to (${stages.join(", ")}), and was not asked to publish.`;
  }
  if (published.withdrawn !== null)
    return `The voucher answers for ${date} are those that were withdrawn, and stay withdrawn: nobody gets them.`;
  if (withdrawals.some((withdrawal) => withdrawal.outcome === "withdrawn"))
    return `The voucher answers for ${date} were published, and withdrawn since: nobody gets them.`;
  const seen =
    published.newest === report.execution_date
      ? ""
      : `; readers went on to get those for ${published.newest === null ? "no date" : dateOf(published.newest)}`;
  return published.isNew
    ? `The voucher answers for ${date} are published${seen}.`
    : `The voucher answers for ${date} were published already, and are the same${seen}.`;
}

const HAS_ENDED = {
  failed: "failed",
  cancelled: "was stopped before it was done",
  killed: "was killed before it was done",
} as const;

/** What became of the rows that it read. */
export function rowsSentence({ outcome, report }: ToldRun): string {
  const counts = rowCountsOf(report);
  if (counts === undefined) {
    if (!report.stages.includes("curate"))
      return "It read no raw files, and worked with what an earlier run had made of them.";
    return outcome === "succeeded"
      ? "How many rows of the raw files count is not known."
      : "It ended before the rows of the raw files were counted.";
  }
  const { read, rejected, outOfScope, curated } = counts;
  const late = outOfScope === 0 ? "none" : counted(outOfScope);
  return (
    `Of ${counting(read, "row")} read, ${counted(curated)} count${curated === 1 ? "s" : ""}; ` +
    `${rejected === 0 ? "none was rejected" : rejectedInWords(report, rejected, rejected / read)}, and ${late} came after that date.`
  );
}

function rejectedInWords(report: RunReport, rejected: number, share: number): string {
  const [mostly] = rejectReasonsOf(report);
  const why = mostly === undefined ? "" : `, most often for ${mostly.reason.replaceAll("_", " ")}`;
  const were = rejected === 1 ? "was" : "were";
  return `${counted(rejected)} (${percent(share)}) ${were} rejected because a value is missing or wrong${why}`;
}

/** How many answers are not those that readers got before. */
export function changesSentence({ outcome, report }: ToldRun): string {
  if (report.answers === null) {
    if (outcome !== "succeeded") return "It ended before it was known which answers would change.";
    return report.stages.includes("publish")
      ? "Which answers it has changed is not known."
      : "It has changed no answer that customers get.";
  }
  const { gate } = report;
  const { before, after, answers, count } = report.answers.changed;
  const all = counting(answers, "answer");
  if (before === null) return `${all}, and nothing was published before to compare with.`;
  const since =
    before === after ? "what was published for this date before" : `the answers for ${dateOf(before)}`;
  const some = count === 0 ? "No answer" : `${counted(count)} of ${all}`;
  const isOne = count <= 1;
  const isSeen = report.published !== null && report.published.withdrawn === null;
  const limit = gate === null ? "" : ` ${gateInWords(gate)}`;
  return `${some} ${isSeen ? (isOne ? "differs" : "differ") : "would differ"} from ${since}.${limit}`;
}

/** What the gate let through, as a sentence. */
export function gateInWords(gate: NonNullable<RunReport["gate"]>): string {
  const limit = counted(gate.max_changed);
  const those = gate.ignored_toss_ups
    ? `; ${counted(gate.counted ?? gate.count)} of these are no toss-ups`
    : "";
  return `At most ${limit} may (--max-changed)${those}: ${gate.outcome}.`;
}

/** How certain the answers are. */
export function certaintySentence({ outcome, report: { answers, stages } }: ToldRun): string {
  if (answers === null) {
    if (outcome !== "succeeded") return "It ended before it was known how certain the answers are.";
    return stages.includes("publish")
      ? "How certain the answers are is not known."
      : "How certain the answers are is told when they are published.";
  }
  return certaintyOfAnswers(answers.changed.answers, answers.certainty);
}

/** How certain so many answers are, as a sentence. */
export function certaintyOfAnswers(answers: number, certainty: CertaintyCounts | null): string {
  if (certainty === null) return "How certain the answers are is not known.";
  if (answers === 0) return "There is no answer.";
  const advice = certainty["toss-up"] === 0 ? "" : ": do not stake a campaign on a toss-up";
  return `Of ${counting(answers, "answer")} ${countsInWords(certainty)}${advice}.`;
}

/** Audits that were passed because some rows may break their promise, each as `name on table: 3 of 40 rows, 7.5%; 10% allowed`. */
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

/** How its checks ended, and what somebody has to do. */
export function dutySentence({ outcome, fault, report: { audits, stages } }: ToldRun): string {
  if (fault !== undefined) return DUTIES[kindOf(fault.code)];
  if (outcome === "killed")
    return "Its process or its machine was ended from outside: it has to be run again.";
  if (outcome === "running") return "What is told of it is what was known at its last sign of life.";
  const warned = audits.filter((audit) => audit.outcome === "warned").length;
  const passed = counting(audits.length - warned, "check");
  if (audits.length === 0) {
    return stages.every((stage) => stage === "publish")
      ? "There is nothing to do, and nothing was checked anew."
      : "How its checks have ended is not known.";
  }
  return warned === 0
    ? `${audits.length === 1 ? "The one check was" : `All ${passed} were`} passed: there is nothing to do.`
    : `${passed} were passed, and ${counted(warned)} warn${warned === 1 ? "s" : ""}: somebody should look at the data when there is time.`;
}

/** What somebody has to do about a fault, by its kind. */
const DUTIES: Readonly<Record<FaultKind | "bug", string>> = {
  usage: "Its settings, or the SQL, are wrong: an engineer has to mend them before it is run again.",
  data: "The data failed a check: somebody has to look at it; to run it again alone changes nothing.",
  unavailable: "Storage or a database could not be used: it is worth to run it again, later.",
  locked: "Another run of the same date was under way: there is nothing to do unless that one fails.",
  cancelled: "It was stopped on purpose, or with its machine: it has to be run again.",
  bug: "This is a fault of the pipeline itself: an engineer has to look at it.",
};

function kindOf(code: string): FaultKind | "bug" {
  return code in FAULTS ? FAULTS[code as keyof typeof FAULTS] : "bug";
}
