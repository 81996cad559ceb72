import type { Engine, Row } from "../engine/engine.js";
import { PipelineError } from "../errors.js";
import type { Model } from "../models/model.js";
import { textTable } from "../text-table.js";
import type { AuditStep, PlannedStep } from "./plan.js";
import type { PassedAudit } from "./report.js";

/** Rows of a failed audit that are shown. */
const SHOWN_ROWS = 20;

interface FailedAudit {
  readonly audit: string;
  readonly promise: string;
  readonly rows: readonly Row[];
}

/** The audit of the columns, which every model has. It is no SQL file: it holds the result against the header. */
const COLUMNS_AUDIT = "columns_are_declared";

/**
 * Runs all audits of a model on what was just built.
 * @throws PipelineError AUDIT_FAILED that tells every broken promise with the rows that break it.
 */
export async function auditModel(
  engine: Engine,
  { model, audits }: Pick<PlannedStep, "model" | "audits">,
): Promise<PassedAudit[]> {
  const failed = await auditColumns(engine, model);
  // The other audits name columns, and would fail for another reason than their own.
  if (failed === undefined) {
    const failures: FailedAudit[] = [];
    for (const audit of audits) {
      const failure = await runAudit(engine, audit);
      if (failure !== undefined) failures.push(failure);
    }
    if (failures.length === 0) {
      return [COLUMNS_AUDIT, ...audits.map(({ audit }) => audit)].map((audit) => ({
        model: model.name,
        audit,
      }));
    }
    throw auditError(model, failures);
  }
  throw auditError(model, [failed]);
}

async function auditColumns(engine: Engine, model: Model): Promise<FailedAudit | undefined> {
  const found = await engine.columnsOf(model.name);
  const declared = Object.entries(model.header.columns).map(([name, { type }]) => ({ name, type }));
  const same = (index: number) =>
    found[index]?.name === declared[index]?.name && found[index]?.type === declared[index]?.type;
  const rows = Array.from({ length: Math.max(found.length, declared.length) }, (_, index) => index)
    .filter((index) => !same(index))
    .map((index) => ({
      position: index + 1,
      declared: shown(declared[index]),
      found: shown(found[index]),
    }));
  if (rows.length === 0) return undefined;
  return { audit: COLUMNS_AUDIT, promise: "The columns are those of the header, in its order.", rows };
}

function shown(column: { name: string; type: string } | undefined): string {
  return column === undefined ? "nothing" : `${column.name} ${column.type}`;
}

async function runAudit(
  engine: Engine,
  { audit, promise, rendered }: AuditStep,
): Promise<FailedAudit | undefined> {
  const rows = await engine.rows(`SELECT * FROM (${rendered.sql}\n) LIMIT ${(SHOWN_ROWS + 1).toString()}`);
  return rows.length === 0 ? undefined : { audit, promise, rows };
}

function auditError(model: Model, failures: readonly FailedAudit[]): PipelineError {
  const parts = failures.map(({ audit, promise, rows }) => {
    const more = rows.length > SHOWN_ROWS ? "\n  … and more rows" : "";
    const table = textTable(rows.slice(0, SHOWN_ROWS)).replaceAll(/^/gm, "  ");
    return `${model.name} breaks the audit ${audit}. ${promise} These rows break it:\n${table}${more}`;
  });
  return new PipelineError("AUDIT_FAILED", parts.join("\n"));
}
