import { DuckDBInstance } from "@duckdb/node-api";
import { textOf, type Row } from "../builder.js";

/** A part of a statement, as DuckDB's parser gives it: names of parts, and what they are. */
export type SyntaxTree = Readonly<Record<string, unknown>>;

/** What DuckDB's parser makes of statements. */
export interface Syntax {
  /** The tree of each SELECT; undefined for one that DuckDB can run and not tell in this way, as a PIVOT. */
  readonly trees: readonly (SyntaxTree | undefined)[];
  /** The names of the functions that make one value of many rows. */
  readonly aggregates: ReadonlySet<string>;
}

/** Has DuckDB parse SELECTs. Nothing of them is run, and nothing that they name needs to be there. */
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
