import { DuckDbError } from "../engine/duckdb-errors.js";
import { textOf, type Engine } from "../engine/engine.js";
import { listLiteral, pathPattern } from "../sql-text/literal.js";
import type { InspectedFile } from "./inspect.js";

/** What is told of a footer that DuckDB cannot show: it shows the statistics, too, which may hold a moment that it has not. */
const UNKNOWN = ["UNKNOWN"];

/** Adds to Parquet files what their pages are compressed with, by DuckDB's names of the codecs. */
export async function withCodecs(
  engine: Engine,
  files: readonly InspectedFile[],
): Promise<readonly InspectedFile[]> {
  const uris = files.filter(({ format }) => format === "parquet").map(({ file }) => file.uri);
  const codecs = await codecsOf(engine, uris);
  // A file without rows has no pages.
  return files.map((each) =>
    each.format === "parquet" ? { ...each, codecs: codecs.get(each.file.uri) ?? [] } : each,
  );
}

async function codecsOf(
  engine: Engine,
  uris: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (uris.length === 0) return new Map();
  try {
    const rows = await engine.rows(
      "SELECT file_name, array_to_string(list_sort(list(DISTINCT compression)), ' ') AS codecs " +
        `FROM parquet_metadata(${listLiteral(uris.map(pathPattern))}) GROUP BY file_name`,
    );
    return new Map(rows.map((row) => [textOf(row, "file_name"), textOf(row, "codecs").split(" ")]));
  } catch (error) {
    if (!(error instanceof DuckDbError) || error.isFatal) throw error;
    if (uris.length === 1) return new Map(uris.map((uri) => [uri, UNKNOWN]));
    const half = Math.ceil(uris.length / 2);
    const found = [await codecsOf(engine, uris.slice(0, half)), await codecsOf(engine, uris.slice(half))];
    return new Map(found.flatMap((codecs) => [...codecs]));
  }
}
