import type { DuckDBConnection } from "@duckdb/node-api";
import { statementsOf } from "../sql-text/scan.js";
import { DuckDbError } from "./duckdb-errors.js";
import { refusalOfFunctions, refusalOfSelect, type Powers } from "./refusals.js";

/**
 * What does more than compute, in spite of the locked configuration: a log goes to files or to standard output and shows what S3 is
 * asked with, a profile is printed. The last ones run a text in which no such call would be seen.
 */
const POWERS: Powers = {
  makesFunction: /^create (or replace )?(temp |temporary )?(macro|function) /i,
  functionStatement: "CREATE MACRO",
  doMore:
    /^((enable|disable)_(logging|profil[a-z]*|peg_parser)|truncate_duckdb_logs|query|json_execute_serialized_sql)$/,
};

/**
 * Refuses what a model or an audit is not.
 * @throws an error of DuckDB where the text does not parse by itself, a DuckDbError where it is more than one SELECT.
 */
export async function assertSelects(connection: DuckDBConnection, sql: string): Promise<void> {
  await connection.extractStatements(sql);
  refuse(refusalOfSelect(sql, POWERS));
}

/**
 * Refuses what a file of functions is not.
 * @throws an error of DuckDB where the text does not parse, a DuckDbError where it does more than make functions.
 */
export async function assertMakesFunctions(connection: DuckDBConnection, sql: string): Promise<void> {
  const { count } = await connection.extractStatements(sql);
  // Where DuckDB sees other statements than we do, we have not looked at all of them.
  const isSeen = count === statementsOf(sql).length;
  refuse(isSeen ? refusalOfFunctions(sql, POWERS) : "its statements cannot be told apart: it was not run");
}

function refuse(refusal: string | undefined): void {
  if (refusal !== undefined) throw new DuckDbError("Permission", refusal);
}
