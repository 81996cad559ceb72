import { DuckDBInstance } from "@duckdb/node-api";
import { textOf, type Row } from "../builder.js";

/** A part of a statement from DuckDB's parser: the names of its parts, and their values. */
export type SyntaxTree = Readonly<Record<string, unknown>>;

/** The result of DuckDB's parser. */
export interface Syntax {
  /** The tree of each SELECT; undefined for a SELECT that DuckDB can run but not describe in this way, such as a PIVOT. */
  readonly trees: readonly (SyntaxTree | undefined)[];
  /** The names of the functions that make one value of many rows. */
  readonly aggregates: ReadonlySet<string>;
}

/** Parses SELECTs with DuckDB. No SELECT runs, and the tables that it names need not exist. */
export async function parseSelects(selects: readonly string[]): Promise<Syntax> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  try {
    const connection = await instance.connect();
    const rows = async (sql: string, values: string[] = []) =>
      (await connection.runAndReadAll(sql, values)).getRowObjectsJson() as Row[];
    const trees: (SyntaxTree | undefined)[] = [];
    for (const select of selects) {
      const [row = {}] = await rows(
        "SELECT CAST(json_serialize_sql(CAST($1 AS VARCHAR)) AS VARCHAR) AS tree",
        [select],
      );
      const { statements } = JSON.parse(textOf(row, "tree")) as { statements?: { node: SyntaxTree }[] };
      trees.push(statements?.[0]?.node);
    }
    const aggregates = await rows(
      "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'",
    );
    return { trees, aggregates: new Set(aggregates.map((row) => textOf(row, "function_name"))) };
  } finally {
    instance.closeSync();
  }
}
