import { PipelineError } from "../errors.js";
import type { SqlVersion } from "./load.js";
import { isWritten, type Model, type WrittenModel } from "./model.js";

/**
 * Holds the models of a version against each other: what one header alone cannot tell.
 * @throws PipelineError INVALID_MODEL that lists every fault with its file.
 */
export function checkModels({ models, audits }: Pick<SqlVersion, "models" | "audits">): void {
  const faults = models.flatMap((model) => [
    ...(isWritten(model) ? faultsOfWritten(model) : []),
    ...unknownAudits(model, audits),
  ]);
  if (faults.length > 0) throw new PipelineError("INVALID_MODEL", faults.join("\n"));
}

function faultsOfWritten({ file, header }: WrittenModel): string[] {
  const faults: string[] = [];
  const { columns, key, publish } = header;
  if (columns["execution_date"]?.type !== "VARCHAR") {
    faults.push(
      `${file}: needs a column execution_date of type VARCHAR, so that each of its files stands alone`,
    );
  }
  for (const column of key ?? []) {
    const declared = columns[column];
    if (declared === undefined) faults.push(`${file}: key: there is no column '${column}'`);
    else if (publish && !declared.publish)
      faults.push(`${file}: key: the column '${column}' must be published`);
  }
  if (publish && key === undefined) faults.push(`${file}: publish: a published model needs a key`);
  for (const [column, { type, publish: published }] of Object.entries(columns)) {
    if (publish && published && type === "VARCHAR[]") {
      faults.push(`${file}: columns.${column}: a list cannot be published; say publish: false`);
    }
  }
  return faults;
}

function unknownAudits(model: Model, audits: SqlVersion["audits"]): string[] {
  if (model.layer === "raw") return [];
  return model.header.audits
    .filter(({ audit }) => !audits.has(audit))
    .map(
      ({ audit }) =>
        `${model.file}: audits: unknown audit '${audit}'; known audits: ${[...audits.keys()].join(", ")}`,
    );
}
