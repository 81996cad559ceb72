import type { Row, RowValue } from "../engine.js";
import type { SparkConnection } from "./connection.js";
import type { Operation } from "./statement.js";

/** Rows that the server sends at a time. */
const ROWS_OF_A_FETCH = 1_000;
/** The types of columns, as HiveServer2 numbers them: lists, maps and structs. */
const NESTED = [10, 11, 12];

/** What a statement has given. */
export interface Fetched {
  /** The columns by their names, and whether they hold lists, maps or structs: of these there is only Spark's own text. */
  readonly columns: readonly { readonly name: string; readonly nested: boolean }[];
  readonly rows: Row[];
}

/** Fetches all rows of a statement that has finished. */
export async function fetchRows({ answer }: SparkConnection, operation: Operation): Promise<Fetched> {
  operation.setMaxRows(ROWS_OF_A_FETCH);
  const rows: Row[] = [];
  let columns: Fetched["columns"];
  do {
    await answer(operation.fetch());
    columns = columnsOf(operation);
    for (const { columns: sent = [] } of operation.getData()) rows.push(...rowsOf(columns, sent));
    operation.flush();
  } while (operation.hasMoreRows());
  return { columns, rows };
}

function columnsOf(operation: Operation): Fetched["columns"] {
  const described = operation.getSchema()?.columns ?? [];
  return described
    .toSorted((a, b) => a.position - b.position)
    .map(({ columnName, typeDesc }) => ({
      name: columnName,
      nested: NESTED.includes(typeDesc.types[0]?.primitiveEntry.type ?? 0),
    }));
}

/** What the server sends of a column: by the kind of its values the values, and a bit for each that says that it is none. */
type SentColumn = Record<string, { readonly values: unknown[]; readonly nulls: Buffer } | null>;

function rowsOf(columns: Fetched["columns"], sent: readonly SentColumn[]): Row[] {
  const values = sent.map(valuesOf);
  return (values[0] ?? []).map((_, row) =>
    Object.fromEntries(columns.map(({ name }, column) => [name, values[column]?.[row] ?? null])),
  );
}

function valuesOf(column: SentColumn): RowValue[] {
  return Object.entries(column).flatMap(([kind, sent]) =>
    (sent?.values ?? []).map((value, row) => (isSet(sent?.nulls, row) ? null : valueOf(kind, value))),
  );
}

function isSet(bits: Buffer | undefined, place: number): boolean {
  return (((bits?.[place >> 3] ?? 0) >> (place & 7)) & 1) === 1;
}

/** A value in the form that the rows of DuckDB have. */
function valueOf(kind: string, value: unknown): RowValue {
  switch (kind) {
    case "i64Val": {
      const { buffer, offset } = value as { readonly buffer: Buffer; readonly offset: number };
      return buffer.readBigInt64BE(offset).toString();
    }
    case "doubleVal":
      return Number.isFinite(value) ? (value as number) : String(value);
    case "binaryVal":
      return [...(value as Buffer)].map(byteText).join("");
    default:
      return value as string | number | boolean;
  }
}

function byteText(byte: number): string {
  const isPrintable = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
  return isPrintable ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
