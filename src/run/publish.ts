import { createHash } from "node:crypto";
import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { printable } from "../base/words.js";
import type { PublishedColumn, PublishedTable } from "../consumption/consumption.js";
import type { WithdrawalReason } from "../consumption/publication-withdrawals.js";
import { publish, type PublishResult, type TableContent } from "../consumption/publish-transaction.js";
import { preparePublishedTables } from "../consumption/published-tables.js";
import { readPublication } from "../consumption/read-publications.js";
import type { PublishedRow, PublishedValue } from "../consumption/schema.js";
import type { RowValue } from "../engine/builder.js";
import { duckDbBuilder, type Engine } from "../engine/duckdb/duckdb-engine.js";
import { tableStatement } from "../engine/duckdb/duckdb-statements.js";
import { isPublished, publishedColumns, publishedKey, type WrittenModel } from "../models/model.js";
import type { OutputTable, RestingTable } from "../record/run-record.js";
import { identifier } from "../sql-text/literal.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";
import { sha256Of } from "../zones/zone.js";
import { attachAtRest } from "./build.js";
import type { RunContext } from "./context.js";
import { assertWrittenByRuns, sqlOfTables } from "./date-runs.js";
import { DEFAULT_MAX_LENGTH } from "./plan.js";

/** The file of a published model, with its hash. */
type HashedTable = Pick<OutputTable, "model" | "sha256">;

/**
 * Checks that the date is not published by another SQL version: a setting can be forgotten, or changed by mistake. Changed
 * files of the same version may replace a publication.
 * @throws PipelineError SQL_VERSION_DIFFERS.
 */
export async function assertVersionKept({
  consumption,
  executionDate,
  replacesVersion,
  stages,
  version,
}: Pick<
  RunContext,
  "consumption" | "executionDate" | "replacesVersion" | "stages" | "version"
>): Promise<void> {
  if (replacesVersion || !stages.includes("publish")) return;
  const { iso, partitionKey } = executionDate;
  const published = await readPublication(consumption, partitionKey);
  if (published === undefined || published.sqlVersion === version.name) return;
  throw new PipelineError(
    "SQL_VERSION_DIFFERS",
    `${iso} is published by the SQL ${printable(published.sqlVersion)}, and this run has ${version.name}. Show the ` +
      `difference with npx pipeline compare -e ${iso} --sql-version ${version.name}. To publish it, add --replace-version`,
  );
}

/** A publication names the SQL that made its rows, so rows of other SQL must not be published as those of the present one. */
async function assertPresentSql({ consumption, executionDate, version }: RunContext): Promise<void> {
  const { iso } = executionDate;
  const hashes = await sqlOfTables(consumption, executionDate, ["aggregate"]);
  if (hashes.size === 0 || hashes.has(version.hash)) return;
  throw new PipelineError(
    "SQL_VERSION_DIFFERS",
    `other SQL than the present files made the aggregates of ${iso}. Make them again with npx pipeline aggregate -e ${iso}`,
  );
}

/** A publish that is ready to run. */
export interface PreparedPublish {
  readonly publication: Publication;
  readonly contents: readonly TableContent[];
  readonly publish: () => Promise<PublishResult>;
}

/**
 * Reads the rows to publish and creates the tables for them, before anything is committed.
 * @param built the staged partitions of this run; other published models come from existing partitions.
 * @throws PipelineError PARTITION_MISSING, AUDIT_FAILED or CONSUMPTION_TABLE_DIFFERS.
 */
export async function preparePublish(
  context: RunContext,
  engine: Engine,
  built: readonly OutputTable[],
): Promise<PreparedPublish> {
  const { activity, consumption, executionDate, journal, runId, version } = context;
  const models = version.models.filter(isPublished);
  const published = built.filter(({ model }) => models.some(({ name }) => name === model));
  const contents: TableContent[] = [];
  const atRest: RestingTable[] = [];
  for (const model of models) {
    if (!built.some((table) => table.model === model.name)) {
      atRest.push(await tableAtRest(context, engine, model));
    }
    contents.push(await keptContent(engine, model));
  }
  await assertWrittenByRuns(context, atRest);
  if (atRest.length > 0) {
    await assertPresentSql(context);
    journal.note({ at_rest: atRest });
  }
  const changes = await preparePublishedTables(
    consumption,
    contents.map(({ table }) => table),
  );
  const newColumns = changes.filter(({ isNew }) => !isNew);
  if (newColumns.length > 0)
    journal.note({
      new_columns: newColumns.map(({ table, missing }) => ({
        table: table.name,
        columns: missing.map(({ name }) => name),
      })),
    });
  const publication = {
    executionDate,
    runId,
    sqlVersion: version.name,
    sqlHash: version.hash,
    dataHash: dataHash([...published, ...atRest]),
    publishedAt: new Date().toISOString(),
    rowCounts: Object.fromEntries(contents.map(({ table, rows }) => [table.name, rows])),
  };
  return {
    publication,
    contents,
    publish: async () => {
      const result = await activity.during("publish", () => publish(consumption, publication, contents));
      failpoint("published");
      if (result.withdrawn !== null) activity.warn(stillWithdrawn(executionDate, result.withdrawn));
      return result;
    },
  };
}

/** A run does not restore a publication that a person withdrew. */
function stillWithdrawn(
  { iso }: ExecutionDate,
  { withdrawn_at, withdrawn_by, why }: WithdrawalReason,
): string {
  return (
    `readers do not see ${iso}: the same data was withdrawn by ${withdrawn_by} at ${withdrawn_at}: ` +
    `${printable(why)}. If the data is valid, run npx pipeline restore -e ${iso}`
  );
}

/** The contents of the published tables, from built models. */
export async function publishedContents(
  engine: Engine,
  models: readonly WrittenModel[],
): Promise<TableContent[]> {
  const contents: TableContent[] = [];
  for (const model of models) contents.push(await keptContent(engine, model));
  return contents;
}

/** The partition of a published model from another run. */
async function tableAtRest(context: RunContext, engine: Engine, model: WrittenModel): Promise<RestingTable> {
  const { head } = await attachAtRest({ ...context, builder: duckDbBuilder(engine) }, model);
  return { model: model.name, uri: head.uri, sha256: await sha256Of(context.zones[model.layer], head) };
}

/** The published table of a model. */
export function publishedTable(model: WrittenModel): PublishedTable {
  const columns = publishedColumns(model).map(([name, column]): PublishedColumn => {
    if (column.type === "VARCHAR[]") throw new TypeError(`${model.file}: a list cannot be published`);
    return { name, type: column.type, maxLength: column.max_length ?? DEFAULT_MAX_LENGTH };
  });
  return { name: model.table, columns, key: publishedKey(model) };
}

/** The statements that store the rows of a table for the publish, and read them in the order of its key. */
export function contentStatements(model: WrittenModel): { readonly keep: string; readonly read: string } {
  const { columns, key } = publishedTable(model);
  const kept = keptTable(model);
  const namesOf = (some: readonly PublishedColumn[]) => some.map(({ name }) => identifier(name));
  // A text costs the engine's client more than all numbers of a row. So the texts of a row arrive as one.
  const texts = `json_array(${namesOf(columns.filter(isText)).join(", ")})`;
  const selected = [texts, ...namesOf(columns.filter((column) => !isText(column)))];
  const order = key.map((column) => `${kept}.${identifier(column)}`);
  return {
    keep: tableStatement(kept, `SELECT ${namesOf(columns).join(", ")} FROM ${model.name}`),
    read: `SELECT ${selected.join(", ")} FROM ${kept} ORDER BY ${order.join(", ")}`,
  };
}

/** The files move during the publish. So the engine stores the rows, because it can hold more than fits into memory. */
export async function keptContent(engine: Engine, model: WrittenModel): Promise<TableContent> {
  const table = publishedTable(model);
  const { keep, read } = contentStatements(model);
  const [kept] = await engine.rows(keep);
  return {
    table,
    // DuckDB's response to CREATE TABLE AS.
    rows: Number(kept?.["Count"]),
    parts: async function* () {
      for await (const part of engine.parts(read)) yield publishedRows(table, part);
    },
  };
}

function keptTable({ table }: WrittenModel): string {
  return identifier(`published ${table}`);
}

function isText({ type }: PublishedColumn): boolean {
  return type === "VARCHAR";
}

/** @param values the texts of each row in JSON, and the values of each other column. */
function publishedRows(
  { columns }: PublishedTable,
  [texts = [], ...values]: readonly RowValue[][],
): PublishedRow[] {
  const textsOfRows = JSON.parse(`[${(texts as string[]).join()}]`) as PublishedValue[][];
  return textsOfRows.map((textsOfRow, place) => {
    const row: PublishedRow = {};
    let text = 0;
    let other = 0;
    for (const column of columns) {
      row[column.name] = isText(column)
        ? (textsOfRow[text++] ?? null)
        : publishedValue(column.type, values[other++]?.[place] ?? null);
    }
    return row;
  });
}

/** One hash for all published tables together. */
function dataHash(tables: readonly HashedTable[]): string {
  const hash = createHash("sha256");
  const sorted = [...tables].sort((a, b) => (a.model < b.model ? -1 : 1));
  for (const { model, sha256 } of sorted) hash.update(`${model} ${sha256}\n`);
  return hash.digest("hex");
}

function publishedValue(type: PublishedColumn["type"], value: RowValue): PublishedValue {
  if (value === null || typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string") throw new TypeError("a list cannot be published");
  return type === "BIGINT" ? exactNumber(value) : value;
}

/** The engine returns a BIGINT as text, because some are not exact as a number. */
function exactNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${text} is too large to publish exactly`);
  return number;
}
