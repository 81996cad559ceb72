import {
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTypeId,
  JsonDuckDBValueConverter,
  ResultReturnType,
  StatementType,
  type DuckDBConnection,
  type DuckDBResult,
  type DuckDBValueConverter,
} from "@duckdb/node-api";
import { PipelineError } from "../../base/errors.js";
import { saysNothing } from "../../sql-text/scan.js";
import type { RowValue } from "../builder.js";
import type { StatementResult } from "./duckdb-engine.js";

/** Runs one operation on the connection, interruptibly, and translates its errors. */
type Guard = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * Runs statements from a person. They can change only the session's memory.
 * @throws PipelineError INVALID_USAGE for a statement that could write elsewhere; neither it nor the following
 * statements run.
 */
export async function* runStatements(
  connection: DuckDBConnection,
  sql: string,
  guard: Guard,
): AsyncGenerator<StatementResult> {
  // For a text without a statement DuckDB raises an error without a message.
  if (saysNothing(sql)) return;
  const statements = await guard(() => connection.extractStatements(sql));
  for (let index = 0; index < statements.count; index++) {
    // Prepared one by one: a statement can read the result of the previous one.
    const statement = await guard(() => statements.prepare(index));
    try {
      assertStaysInMemory(statement.statementType, sql);
      const result = await guard(() => statement.stream());
      if (result.returnType === ResultReturnType.QUERY_RESULT) {
        yield { columns: result.deduplicatedColumnNames(), batches: () => batchesOf(result, guard) };
      }
    } finally {
      statement.destroySync();
    }
  }
}

async function* batchesOf(result: DuckDBResult, guard: Guard): AsyncGenerator<readonly RowValue[][]> {
  for (;;) {
    const chunk = await guard(() => result.fetchChunk());
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk.convertRows(exactValue);
  }
}

/** The statements that stay in memory. All others are refused, including new ones of later DuckDB versions. */
const IN_MEMORY: ReadonlySet<StatementType> = new Set([
  StatementType.SELECT,
  StatementType.EXPLAIN,
  StatementType.INSERT,
  StatementType.UPDATE,
  StatementType.DELETE,
  StatementType.MERGE_INTO,
  StatementType.CREATE,
  StatementType.CREATE_FUNC,
  StatementType.ALTER,
  StatementType.DROP,
  StatementType.TRANSACTION,
  StatementType.ANALYZE,
  StatementType.VACUUM,
  // Options are locked; this is for variables.
  StatementType.SET,
  StatementType.VARIABLE_SET,
]);

/** The statement type does not show the statement inside EXPLAIN, and EXPLAIN ANALYZE runs it. */
const EXPLAINED_COPY = /\bexplain\b[\s\S]*\bcopy\b/i;

/**
 * Functions that a query can call. A log goes to files, and if that fails, DuckDB ends the process; a profile is
 * printed.
 */
const DOES_MORE = /\benable_(logging|profil[a-z]*)\b/i;

function assertStaysInMemory(type: StatementType, sql: string): void {
  const [called] = DOES_MORE.exec(sql) ?? [];
  if (called !== undefined) throw mayDoMore(called);
  if (!IN_MEMORY.has(type)) throw mayDoMore(StatementType[type].replaceAll("_", " "));
  if (type === StatementType.EXPLAIN && EXPLAINED_COPY.test(sql)) throw mayDoMore("EXPLAIN of a COPY");
}

function mayDoMore(what: string): PipelineError {
  return new PipelineError(
    "INVALID_USAGE",
    `this session is read-only, and ${what} may write: it was not run. You can create tables and views in memory`,
  );
}

/** A value in JSON without loss: moments, and numbers that JSON readers cannot hold exactly, are texts. */
const exactValue: DuckDBValueConverter<RowValue> = (value, type, converter) => {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  // DuckDB's own text is in the time zone of the machine.
  if (value instanceof DuckDBTimestampTZValue)
    return `${new DuckDBTimestampValue(value.micros).toString()}+00`;
  if (type.typeId === DuckDBTypeId.INTERVAL) return value === null ? null : String(value);
  return JsonDuckDBValueConverter(value, type, converter);
};
