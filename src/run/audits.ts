import { PipelineError } from "../base/errors.js";
import { EngineError, ofModel, type Builder, type Query, type Row } from "../engine/builder.js";
import type { Threshold } from "../models/header.js";
import { declaredColumns, type Model } from "../models/model.js";
import { describeBroken } from "../record/findings-in-words.js";
import type { AuditResult } from "../record/run-record.js";
import type { AuditStep, PlannedStep } from "./plan.js";

/** The maximum number of rows that an audit shows. */
const SHOWN_ROWS = 20;

/** The audit of the columns, which every model has. It has no SQL file: it compares the result with the header. */
const COLUMNS_AUDIT = {
  audit: "columns_are_declared",
  promise: "The columns are those of the header, in its order.",
  severity: "error",
  threshold: { rows: 0 },
} as const;

/** The methods of a builder that audits use. */
type Auditor = Pick<Builder, "columnsOf" | "rows">;

/** Runs all audits of a model on its new result. */
export async function auditModel(
  builder: Auditor,
  { model, audits }: Pick<PlannedStep, "model" | "audits">,
): Promise<AuditResult[]> {
  const columns = await auditColumns(builder, model);
  const results = [columns];
  // The other audits name columns, and would fail for a wrong reason.
  if (columns.outcome === "passed") {
    const counted = await countAll(builder, audits);
    for (const audit of audits) results.push(await resultOf(builder, model, audit, counted.get(audit)));
  }
  return results;
}

/** The first statements of a model's audits, each with its audits. */
export function countStatements(
  audits: readonly AuditStep[],
): { query: Query; asked: readonly AuditStep[] }[] {
  const dialects = [...new Set(audits.map(({ rendered }) => rendered.dialect))];
  return dialects.map((dialect) => {
    const asked = audits.filter(({ rendered }) => rendered.dialect === dialect);
    const counts = asked.map(
      ({ rendered }, place) => `(SELECT count(*) FROM (${rendered.sql}\n)) AS ${countColumn(place)}`,
    );
    const references = [...new Set(asked.flatMap(({ rendered }) => rendered.references))];
    return { query: { sql: `SELECT ${counts.join(",\n")}`, references, dialect }, asked };
  });
}

/** The column with the count of an audit. A model can use an audit twice, with other parameters. */
export function countColumn(place: number): string {
  return `audit_${(place + 1).toString()}`;
}

/**
 * Counts the rows that break the promise of each audit, in one statement: the engine plans and answers one large
 * statement faster than many small ones.
 */
async function countAll(
  builder: Auditor,
  audits: readonly AuditStep[],
): Promise<ReadonlyMap<AuditStep, number>> {
  const counted = new Map<AuditStep, number>();
  for (const { query, asked } of countStatements(audits)) {
    const [row] = await builder.rows(query).catch((error: unknown) => {
      if (error instanceof EngineError) return [];
      throw error;
    });
    // If the statement fails, each audit runs alone. The error is then about the text of that audit.
    for (const [place, audit] of asked.entries())
      counted.set(
        audit,
        row === undefined ? await countOf(builder, whole(audit)) : Number(row[countColumn(place)]),
      );
  }
  return counted;
}

/** @throws PipelineError AUDIT_FAILED that lists every broken promise that ends the run, with example rows. */
export function assertNoneFailed(results: readonly AuditResult[]): void {
  const failed = results.filter(({ outcome }) => outcome === "failed");
  if (failed.length > 0) throw new PipelineError("AUDIT_FAILED", failed.map(describeBroken).join("\n"));
}

async function auditColumns(builder: Auditor, model: Model): Promise<AuditResult> {
  const found = await builder.columnsOf(model.name);
  const declared = declaredColumns(model);
  const same = (index: number) =>
    found[index]?.name === declared[index]?.name && found[index]?.type === declared[index]?.type;
  const rows = Array.from({ length: Math.max(found.length, declared.length) }, (_, index) => index)
    .filter((index) => !same(index))
    .map((index) => ({
      position: index + 1,
      declared: shown(declared[index]),
      found: shown(found[index]),
    }));
  const outcome = rows.length === 0 ? "passed" : "failed";
  return {
    model: model.name,
    ...COLUMNS_AUDIT,
    outcome,
    broken: rows.length,
    rows: rows.slice(0, SHOWN_ROWS),
  };
}

function shown(column: { name: string; type: string } | undefined): string {
  return column === undefined ? "nothing" : `${column.name} ${column.type}`;
}

async function resultOf(
  builder: Auditor,
  model: Model,
  step: AuditStep,
  broken: number | undefined,
): Promise<AuditResult> {
  if (broken === undefined) throw new RangeError(`the audit ${step.audit} has no count`);
  const { audit, promise, severity, threshold, rendered } = step;
  const shown = `SELECT * FROM (${rendered.sql}\n) LIMIT ${SHOWN_ROWS.toString()}`;
  const isKept = broken === 0 || (await isWithin(builder, model, threshold, broken));
  // To find examples costs a scan, and nobody looks for those that are allowed.
  const rows = isKept ? [] : await builder.rows({ ...rendered, sql: shown });
  const outcome = isKept ? "passed" : severity === "error" ? "failed" : "warned";
  return { model: model.name, audit, promise, severity, outcome, broken, threshold, rows };
}

/** All rows that break a promise, as a FROM clause. */
function whole({ rendered }: AuditStep): Query {
  return { ...rendered, sql: `(${rendered.sql}\n)` };
}

async function isWithin(
  builder: Auditor,
  { name }: Model,
  { rows = 0, share }: Threshold,
  broken: number,
): Promise<boolean> {
  // Division instead of multiplication: 29 of 100 rows are 0.29, but 0.29 * 100 is less than 29.
  return share === undefined
    ? broken <= rows
    : broken / (await countOf(builder, ofModel(name, name))) <= share;
}

/** @param relation a FROM clause. */
async function countOf(builder: Auditor, relation: Query): Promise<number> {
  const [row]: Row[] = await builder.rows({
    ...relation,
    sql: `SELECT count(*) AS row_count FROM ${relation.sql}`,
  });
  return Number(row?.["row_count"]);
}
