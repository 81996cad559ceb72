import { PipelineError } from "../base/errors.js";
import { textTable } from "../base/text-table.js";
import { counted, counting } from "../base/words.js";
import { EngineError, type Builder, type Row } from "../engine/builder.js";
import { isRaw } from "../models/model.js";
import {
  reasonRows,
  rejectReasonsOf,
  rowCountsOf,
  type RejectReason,
  type RowCounts,
} from "../record/row-counts.js";
import type { RunReport } from "../record/run-record.js";
import type { RunContext } from "./context.js";
import { renderInspection } from "./plan.js";
import { planInput } from "./raw-input.js";

/** The inputs from a failed run. */
type FailedContext = Pick<
  RunContext,
  "executionDate" | "journal" | "settings" | "signal" | "version" | "zones"
>;

/** The results of the rows of a run that failed because of them. */
interface FailedRows {
  readonly counts: RowCounts;
  readonly reasons: readonly RejectReason[];
  /** The contents of the raw files, by model, if the execution date excludes every row. */
  readonly contents: readonly Row[];
}

/**
 * Explains a fault of building models. If an audit of the rows failed, it adds the results of the rows, an example of
 * each reason, and the remedy.
 */
export async function explainedByRows(
  context: FailedContext,
  builder: Pick<Builder, "rows">,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof PipelineError) || error.code !== "AUDIT_FAILED") return error;
  const rows = await failedRows(context, builder);
  if (rows === undefined) return error;
  return new PipelineError(error.code, `${error.message}\n${inWords(context, rows)}`, {
    cause: error,
    details: { ...error.details, rows: forMachines(rows) },
  });
}

async function failedRows(
  context: FailedContext,
  builder: Pick<Builder, "rows">,
): Promise<FailedRows | undefined> {
  const report = context.journal.report();
  const counts = rowCountsOf(report);
  if (counts === undefined || !isOfRows(report)) return undefined;
  const isTooEarly = counts.curated === 0 && counts.outOfScope > 0;
  return {
    counts,
    reasons: rejectReasonsOf(report),
    contents: isTooEarly ? await contentsOf(context, builder) : [],
  };
}

/** Whether the incoming rows are at fault. Faults in provision come from the SQL, and so do faults in columns. */
function isOfRows({ audits }: RunReport): boolean {
  return audits.some(
    ({ model, audit, outcome }) =>
      outcome === "failed" && !model.startsWith("provision.") && audit !== "columns_are_declared",
  );
}

/** The results of the raw models' inspections, over all their rows. */
async function contentsOf(
  { signal, version, ...context }: FailedContext,
  builder: Pick<Builder, "rows">,
): Promise<Row[]> {
  const contents: Row[] = [];
  for (const { name } of version.models.filter(isRaw)) {
    const inspection = version.inspections.get(name);
    if (inspection === undefined || signal.aborted) continue;
    const sql = renderInspection(version, inspection, planInput({ version, ...context }, new Map()));
    try {
      contents.push(...(await builder.rows({ sql, references: [name], dialect: "duckdb" })));
    } catch (error) {
      // The failed audit is the fault to report.
      if (!(error instanceof EngineError)) throw error;
    }
  }
  return contents;
}

function inWords(
  { executionDate, settings }: FailedContext,
  { counts, reasons, contents }: FailedRows,
): string {
  const { read, rejected, outOfScope, curated } = counts;
  const isTooMany = rejected / read > Number(settings.maxRejectedShare);
  return [
    `${counting(read, "row")} read: ${counted(rejected)} rejected, ${counted(outOfScope)} out of scope, ${counted(curated)} curated`,
    ...(reasons.length === 0 ? [] : [indented(textTable(reasonRows(reasons)))]),
    ...(read === 0 ? ["The raw files hold no rows. Check the delivery."] : []),
    ...(rejected === 0
      ? []
      : [
          "Correct these values in the raw files; docs/contract.md lists the valid values." +
            (isTooMany && curated > 0
              ? ` If so many rejected rows are expected, increase MAX_REJECTED_SHARE (now ${settings.maxRejectedShare}).`
              : ""),
        ]),
    ...(curated === 0 && outOfScope > 0
      ? [
          `${rejected === 0 ? "All rows are" : "All other rows are"} out of scope: their timestamp or last_order_ts is later than ` +
            `the execution date ${executionDate.iso}. Run a later execution date, or check the delivery. The raw files have:`,
          indented(textTable(contents)),
        ]
      : []),
  ].join("\n");
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

function forMachines({ counts, reasons, contents }: FailedRows): object {
  return {
    rows_read: counts.read,
    rejected: counts.rejected,
    out_of_scope: counts.outOfScope,
    curated: counts.curated,
    reasons,
    ...(contents.length === 0 ? {} : { contents }),
  };
}
