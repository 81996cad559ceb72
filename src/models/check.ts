import { PipelineError } from "../base/errors.js";
import type { SqlVersion } from "./load.js";
import { EVERY_KEY, EVERY_PUBLISHED, isWritten, usedAudit, type Model, type WrittenModel } from "./model.js";

/**
 * Holds the models of a version against each other: what one header alone cannot tell.
 * @throws PipelineError INVALID_MODEL that lists every fault with its file.
 */
export function checkModels({
  models,
  audits,
  inspections,
}: Pick<SqlVersion, "models" | "audits" | "inspections">): void {
  const faults = [
    ...[...EVERY_KEY, ...EVERY_PUBLISHED]
      .filter((audit) => !audits.has(audit))
      .map((audit) => `the audit '${audit}' is missing: it runs on every model`),
    ...models.flatMap((model) => [
      ...(isWritten(model) ? faultsOfWritten(model) : []),
      ...faultsOfAudits(model, audits),
    ]),
    ...[...inspections]
      .filter(([inspected]) => !models.some(({ name }) => name === inspected))
      .map(([inspected, { file }]) => `${file}: there is no model ${inspected} to inspect the files of`),
  ];
  if (faults.length > 0) throw new PipelineError("INVALID_MODEL", faults.join("\n"));
}

function faultsOfWritten({ file, header, table, template }: WrittenModel): string[] {
  const faults: string[] = [];
  const { columns, key, publish } = header;
  if (!endsInOrder(template)) {
    faults.push(
      `${file}: must end in a total order, so that each run writes the same bytes: add ORDER BY ALL`,
    );
  }
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
  if (publish && RESERVED.test(table)) {
    faults.push(
      `${file}:${lineOf(template, /^publish:/m).toString()}: publish: the database has a table ${table} of its own; ` +
        "give the file another name",
    );
  }
  if (publish && key === undefined) faults.push(`${file}: publish: a published model needs a key`);
  for (const [column, { type, publish: published }] of Object.entries(columns)) {
    if (publish && published && type === "VARCHAR[]") {
      faults.push(`${file}: columns.${column}: a list cannot be published; say publish: false`);
    }
  }
  return faults;
}

function faultsOfAudits(model: Model, audits: SqlVersion["audits"]): string[] {
  return model.header.audits.flatMap((use) => {
    const { audit, own } = use;
    if (own !== undefined && audits.has(audit)) {
      return [
        `${model.file}: audits: '${audit}' is the name of another audit; name the model's own as no other`,
      ];
    }
    if (usedAudit(model, use, audits) !== undefined) return [];
    return [
      `${model.file}: audits: unknown audit '${audit}'; known audits: ${[...audits.keys()].join(", ")}`,
    ];
  });
}

/** The tables of the database that are the pipeline's own, Kysely's or SQLite's. */
const RESERVED =
  /^(publications|published_rows|withdrawals|pipeline_runs|run_order|sql_versions|backfills|publish_lock|kysely_migration(_lock)?|sqlite_.*)$/i;

/** The line of a text on which a pattern is found, or the first one. */
function lineOf(text: string, pattern: RegExp): number {
  return text.slice(0, Math.max(0, text.search(pattern))).split("\n").length;
}

/** Whether the outermost SELECT has an ORDER BY. */
function endsInOrder(template: string): boolean {
  const bare = template.replaceAll(/\/\*[\s\S]*?\*\/|--.*|'[^']*'/g, "");
  const before = bare.slice(0, Math.max(0, bare.search(/\border\s+by\b(?![\s\S]*\border\s+by\b)/i)));
  return before !== "" && before.split("(").length === before.split(")").length;
}
