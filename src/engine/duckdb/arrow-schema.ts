import { Builder, type Offset } from "flatbuffers";
import type { ColumnType } from "../builder.js";

/*
 * Readers of the Arrow family (pyarrow, and pandas through it) treat the partition column of a folder's name as a
 * dictionary. They refuse a file that has the same column as text, unless the file's metadata marks it as a
 * dictionary. The metadata is an Arrow schema: https://arrow.apache.org/docs/format/Columnar.html#schema-message,
 * defined in https://github.com/apache/arrow/tree/main/format.
 */

/** The key of Parquet's metadata under which writers of Arrow keep a schema. */
export const ARROW_SCHEMA_KEY = "ARROW:schema";

/** The column that the name of a partition's folder also contains. */
const PARTITION_COLUMN = "execution_date";

/** The format's numbers for the kinds of messages and types. */
const METADATA_V5 = 4;
const SCHEMA_MESSAGE = 1;
const INT = 2;
const FLOATING_POINT = 3;
const UTF8 = 5;
const BOOL = 6;
const DATE = 8;
const TIMESTAMP = 10;
const LIST = 12;
const DOUBLE_PRECISION = 2;
const DAY = 0;
const MILLISECOND = 1;
const MICROSECOND = 2;

/** An Arrow type: its number, the table with its details, and the columns inside it. */
interface ArrowType {
  readonly number: number;
  readonly table: Offset;
  readonly children: readonly Offset[];
}

/** The writer of each possible column type, by DuckDB's name of it. */
const TYPES: Readonly<Record<string, (to: Builder) => ArrowType>> = {
  VARCHAR: (to) => simple(UTF8, emptyTable(to)),
  BOOLEAN: (to) => simple(BOOL, emptyTable(to)),
  INTEGER: (to) => simple(INT, integerTable(to, 32)),
  BIGINT: (to) => simple(INT, integerTable(to, 64)),
  DOUBLE: (to) =>
    simple(
      FLOATING_POINT,
      table(to, 1, () => {
        to.addFieldInt16(0, DOUBLE_PRECISION, 0);
      }),
    ),
  DATE: (to) =>
    simple(
      DATE,
      table(to, 1, () => {
        to.addFieldInt16(0, DAY, MILLISECOND);
      }),
    ),
  TIMESTAMP: (to) =>
    simple(
      TIMESTAMP,
      table(to, 2, () => {
        to.addFieldInt16(0, MICROSECOND, 0);
      }),
    ),
  "VARCHAR[]": (to) => {
    const element = field(to, "element", "VARCHAR");
    return { number: LIST, table: emptyTable(to), children: [element] };
  },
};

/**
 * The Arrow schema of a Parquet file whose partition column is also in the name of its folder. The same columns
 * always give the same text.
 * @returns undefined if there is no such column.
 * @throws RangeError if a column has a type that no header can declare.
 */
export function arrowSchema(columns: readonly ColumnType[]): string | undefined {
  if (!columns.some(({ name }) => name === PARTITION_COLUMN)) return undefined;
  const to = new Builder(1_024);
  const fields = columns.map(({ name, type }) => field(to, name, type));
  const fieldsVector = vector(to, fields);
  const schema = table(to, 4, () => {
    to.addFieldOffset(1, fieldsVector, 0);
  });
  const message = table(to, 5, () => {
    to.addFieldInt16(0, METADATA_V5, 0);
    to.addFieldInt8(1, SCHEMA_MESSAGE, 0);
    to.addFieldOffset(2, schema, 0);
  });
  to.finish(message);
  return encapsulated(to.asUint8Array()).toString("base64");
}

/** A message in a file: a mark, its length, and its bytes, up to a multiple of eight bytes. */
function encapsulated(message: Uint8Array): Buffer {
  const length = Math.ceil(message.length / 8) * 8;
  const bytes = Buffer.alloc(8 + length);
  bytes.writeInt32LE(-1, 0);
  bytes.writeInt32LE(length, 4);
  bytes.set(message, 8);
  return bytes;
}

function field(to: Builder, name: string, type: string): Offset {
  const arrowType = TYPES[type]?.(to);
  if (arrowType === undefined) throw new RangeError(`${type} has no type of Arrow`);
  const nameOffset = to.createString(name);
  const children = vector(to, arrowType.children);
  const dictionary = name === PARTITION_COLUMN ? dictionaryTable(to) : 0;
  return table(to, 7, () => {
    to.addFieldOffset(0, nameOffset, 0);
    to.addFieldInt8(1, 1, 0);
    to.addFieldInt8(2, arrowType.number, 0);
    to.addFieldOffset(3, arrowType.table, 0);
    to.addFieldOffset(4, dictionary, 0);
    to.addFieldOffset(5, children, 0);
  });
}

/** The form in which pyarrow stores the values of a folder's name: 32-bit numbers, without an order. */
function dictionaryTable(to: Builder): Offset {
  const numbers = integerTable(to, 32);
  return table(to, 4, () => {
    to.addFieldOffset(1, numbers, 0);
  });
}

function integerTable(to: Builder, bits: number): Offset {
  return table(to, 2, () => {
    to.addFieldInt32(0, bits, 0);
    to.addFieldInt8(1, 1, 0);
  });
}

function emptyTable(to: Builder): Offset {
  return table(to, 0, () => undefined);
}

function simple(number: number, offset: Offset): ArrowType {
  return { number, table: offset, children: [] };
}

function table(to: Builder, slots: number, addFields: () => void): Offset {
  to.startObject(slots);
  addFields();
  return to.endObject();
}

function vector(to: Builder, offsets: readonly Offset[]): Offset {
  to.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) to.addOffset(offset);
  return to.endVector();
}
