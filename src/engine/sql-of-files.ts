import type { DuckDBConnection } from "@duckdb/node-api";
import { callsOf, statementsOf } from "../sql-text.js";
import { DuckDbError } from "./duckdb-errors.js";

/**
 * Functions that a query can call and that do more than compute, in spite of the locked configuration: a log goes to
 * files or to standard output and shows what S3 is asked with, a profile is printed. The last ones run a text in which no
 * such call would be seen.
 */
const DO_MORE =
  /^((enable|disable)_(logging|profil[a-z]*|peg_parser)|truncate_duckdb_logs|query|json_execute_serialized_sql)$/;

/**
 * Refuses what a model or an audit is not: the runner puts a SELECT of a file in parentheses, which must not end early.
 * @throws an error of DuckDB where the text does not parse by itself, a DuckDbError where it is more than one SELECT.
 */
export async function assertSelects(connection: DuckDBConnection, sql: string): Promise<void> {
  await connection.extractStatements(sql);
  if (statementsOf(sql).length > 1) throw refused("it is more than one SELECT");
  assertComputes(sql);
}

/**
 * Refuses what a file of functions is not.
 * @throws an error of DuckDB where the text does not parse, a DuckDbError where it does more than make functions.
 */
export async function assertMakesFunctions(connection: DuckDBConnection, sql: string): Promise<void> {
  const { count } = await connection.extractStatements(sql);
  const statements = statementsOf(sql);
  if (count !== statements.length || !statements.every(makesFunction)) {
    throw refused("it does more than CREATE MACRO");
  }
  assertComputes(sql);
}

function makesFunction(pieces: readonly string[]): boolean {
  return /^create (or replace )?(temp |temporary )?(macro|function) /i.test(pieces.slice(0, 6).join(" "));
}

function assertComputes(sql: string): void {
  const called = callsOf(sql).find((name) => DO_MORE.test(name));
  if (called !== undefined) throw refused(`${called} does more than compute`);
}

function refused(what: string): DuckDbError {
  return new DuckDbError("Permission", `${what}: it was not run`);
}
