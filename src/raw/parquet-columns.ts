import { DuckDbError } from "../engine/duckdb-errors.js";
import { textOf, type Engine } from "../engine/engine.js";
import { filesStatement } from "../engine/statements.js";
import { guarded, wholeText } from "../engine/whole-text.js";
import { listLiteral, pathPattern } from "../sql-text/literal.js";
import type { ZoneFile } from "../zones/zone.js";
import { faultOfFile, type Findings, type RawFault } from "./faults.js";
import type { FileColumn, InspectedFile } from "./inspect.js";
import { typeOf, unitOf } from "./parquet-types.js";

interface SchemaElement {
  readonly column: FileColumn;
  readonly children: number;
  /** All that DuckDB makes its type of. */
  readonly text: string;
}

/**
 * Reads the columns of Parquet files from their footers, all in one statement.
 * @param needed the columns that the model reads.
 */
export async function inspectParquetFiles(
  engine: Engine,
  files: readonly ZoneFile[],
  needed: readonly string[],
): Promise<Findings<InspectedFile>> {
  try {
    return { results: await columnsOfFiles(engine, files, needed), faults: [] };
  } catch (error) {
    if (!(error instanceof DuckDbError) || error.isFatal) throw error;
    // The error may name no file, and there may be more than one at fault.
    return files.length === 1
      ? { results: [], faults: [faultOfFile(files[0]?.path ?? "", error)] }
      : inspectOneByOne(engine, files, needed);
  }
}

async function inspectOneByOne(engine: Engine, files: readonly ZoneFile[], needed: readonly string[]) {
  const results: InspectedFile[] = [];
  const faults: RawFault[] = [];
  for (const file of files) {
    const findings = await inspectParquetFiles(engine, [file], needed);
    results.push(...findings.results);
    faults.push(...findings.faults);
  }
  return { results, faults };
}

async function columnsOfFiles(
  engine: Engine,
  files: readonly ZoneFile[],
  needed: readonly string[],
): Promise<InspectedFile[]> {
  if (files.length === 0) return [];
  const rows = await engine.rows(
    `SELECT file_name, ${guarded("name")} AS name, coalesce(duckdb_type, '') AS duckdb_type, coalesce(num_children, 0) AS children, ` +
      "column_id, precision, scale, CAST(type AS VARCHAR) AS type, CAST(converted_type AS VARCHAR) AS converted_type, logical_type, " +
      "CAST(repetition_type AS VARCHAR) AS repetition_type " +
      `FROM parquet_schema(${listLiteral(files.map(({ uri }) => pathPattern(uri)))}) ORDER BY file_name, column_id`,
  );
  const elements = new Map<string, SchemaElement[]>(files.map(({ uri }) => [uri, []]));
  for (const row of rows) {
    const name = wholeText(textOf(row, "name"));
    elements.get(textOf(row, "file_name"))?.push({
      column: {
        name,
        duckDbName: name,
        ...typeOf(row),
        ...unitOf(row),
        schemaIndex: Number(row["column_id"]),
      },
      children: Number(row["children"]),
      text: JSON.stringify([
        name,
        row["duckdb_type"],
        row["converted_type"],
        row["repetition_type"],
        row["children"],
      ]),
    });
  }
  const inspected: InspectedFile[] = [];
  for (const file of files) {
    const columns = topLevel(elements.get(file.uri) ?? []);
    inspected.push({
      file,
      format: "parquet",
      columns: await withDuckDbNames(engine, file, columns, needed),
    });
  }
  return inspected;
}

/** The elements right below the root of a schema that is written depth first. */
function topLevel(elements: readonly SchemaElement[]): FileColumn[] {
  const top: { column: FileColumn; parts: string[]; hasMilliseconds?: true }[] = [];
  /** How many children each element above still waits for. */
  const waiting: number[] = [];
  for (const { column, children, text } of elements.slice(1)) {
    if (waiting.length === 0) top.push({ column, parts: [] });
    else waiting.push((waiting.pop() ?? 1) - 1);
    const last = top.at(-1);
    if (last !== undefined && column.unit === "milliseconds") last.hasMilliseconds = true;
    if (waiting.length > 0 || children > 0) top.at(-1)?.parts.push(text);
    if (children > 0) waiting.push(children);
    while (waiting.at(-1) === 0) waiting.pop();
  }
  return top.map(({ column, parts, hasMilliseconds }) => ({
    ...column,
    ...(parts.length === 0 ? {} : { parts: parts.join() }),
    ...(hasMilliseconds && { hasMilliseconds }),
  }));
}

/** DuckDB's names know no case: where a file has a column twice to it, the later ones are renamed. */
async function withDuckDbNames(
  engine: Engine,
  file: ZoneFile,
  columns: readonly FileColumn[],
  needed: readonly string[],
): Promise<readonly FileColumn[]> {
  const isAmbiguous = needed.some(
    (need) => columns.filter(({ name }) => name.toLowerCase() === need.toLowerCase()).length > 1,
  );
  if (!isAmbiguous) return columns;
  const described = await engine.columnsOf(`(${filesStatement([file.uri])})`);
  return columns.map((column, index) => ({ ...column, duckDbName: described[index]?.name ?? column.name }));
}
