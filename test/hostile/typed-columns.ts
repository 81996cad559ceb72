import fc from "fast-check";
import type { Column, RawValue } from "./contract.js";
import {
  countryTexts,
  MICROSECONDS_PER_DAY,
  moments,
  momentTexts,
  numberTexts,
  wholeNumbers,
} from "./texts.js";

/** What a value says, before it is known how the engine shows it as text. */
type Unshown<Value> = Value extends unknown ? Omit<Value, "text"> : never;

/** A value of a Parquet column. */
export interface TypedValue {
  /** An expression that makes it, in DuckDB. */
  readonly sql: string;
  readonly says: Unshown<RawValue>;
}

/** A column of a Parquet file: its type, and values of it. */
export interface TypedColumn {
  readonly type: string;
  readonly values: fc.Arbitrary<TypedValue>;
}

/** The types that a column of the contract can come in, and those in which it cannot. */
export function typedColumns(column: Column, executionDate: bigint): fc.Arbitrary<TypedColumn> {
  const fitting = {
    timestamp: () => momentColumns(executionDate),
    last_order_ts: () => momentColumns(executionDate),
    first_order_ts: () => momentColumns(executionDate),
    country_code: () => textColumns(countryTexts()),
    total_orders: () => numberColumns(),
    voucher_amount: () => numberColumns(),
  }[column]();
  const any = [...numberColumns(), ...OTHER_COLUMNS];
  return fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...fitting) },
    { weight: 1, arbitrary: fc.constantFrom(...any) },
  );
}

function textColumns(texts: fc.Arbitrary<string>): TypedColumn[] {
  const says = { type: "text" } as const;
  return [
    { type: "VARCHAR", values: texts.map((text) => ({ sql: textSql(text), says })) },
    { type: "BLOB", values: texts.map((text) => ({ sql: bytesSql(text), says })) },
  ];
}

function momentColumns(executionDate: bigint): TypedColumn[] {
  return [
    ...textColumns(momentTexts(executionDate)),
    ...MOMENT_TYPES.map(({ type, precision, expression, specials }) => ({
      type,
      values: fc.oneof(
        {
          weight: 12,
          arbitrary: momentsOf(type, executionDate).map((moment) => {
            const cut = moment - modulo(moment, precision);
            return momentValue(expression(cut), cut);
          }),
        },
        { weight: 1, arbitrary: fc.constantFrom(...specials) },
      ),
    })),
  ];
}

/** Nanoseconds reach from 1677 to 2262. */
function momentsOf(type: string, executionDate: bigint): fc.Arbitrary<bigint> {
  const all = moments(executionDate);
  if (type !== "TIMESTAMP_NS") return all;
  return all.filter((moment) => moment > -9_223_372_022_400_000n && moment < 9_223_372_036_854_775n);
}

const INFINITIES = [
  momentValue("TIMESTAMP 'infinity'", undefined),
  momentValue("TIMESTAMP '-infinity'", undefined),
];

/** The last and the first moment, and numbers that no calendar has, as some writers leave them for a missing value. */
const extremes = (make: "make_timestamp" | "make_timestamptz") => [
  ...INFINITIES,
  momentValue(`${make}(9223372036854775806)`, 9_223_372_036_854_775_806n),
  momentValue(`${make}(-9223372022400000000)`, -9_223_372_022_400_000_000n),
  momentValue(`${make}(-9223372022400000001)`, -9_223_372_022_400_000_001n),
  momentValue(`${make}(-9223372036854775808)`, -9_223_372_036_854_775_808n),
];

const MOMENT_TYPES = [
  { type: "TIMESTAMP", precision: 1n, expression: timestampSql, specials: extremes("make_timestamp") },
  { type: "TIMESTAMPTZ", precision: 1n, expression: timestampSql, specials: extremes("make_timestamptz") },
  {
    type: "TIMESTAMP_S",
    precision: 1_000_000n,
    expression: timestampSql,
    specials: [momentValue("TIMESTAMP '9999-12-31 23:59:59'", 253_402_300_799_000_000n)],
  },
  {
    type: "TIMESTAMP_MS",
    precision: 1000n,
    expression: timestampSql,
    specials: [
      momentValue("TIMESTAMP_MS 'infinity'", undefined),
      momentValue("TIMESTAMP_MS '-infinity'", undefined),
    ],
  },
  {
    type: "TIMESTAMP_NS",
    precision: 1n,
    expression: (moment: bigint) => `make_timestamp_ns(${String(moment * 1000n)} + 999)`,
    specials: [
      momentValue("TIMESTAMP_NS 'infinity'", undefined),
      momentValue("TIMESTAMP_NS '-infinity'", undefined),
      momentValue("make_timestamp_ns(9223372036854775806)", 9_223_372_036_854_775n),
      momentValue("make_timestamp_ns(-9223372022400000001)", -9_223_372_022_400_001n),
      // The lowest number stands for a missing value.
      momentValue("make_timestamp_ns(-9223372036854775808)", undefined),
      momentValue("make_timestamp_ns(-1)", -1n),
    ],
  },
  {
    type: "DATE",
    precision: MICROSECONDS_PER_DAY,
    expression: (moment: bigint) => `CAST(${timestampSql(moment)} AS DATE)`,
    specials: [
      momentValue("DATE 'infinity'", undefined),
      momentValue("DATE '-infinity'", undefined),
      momentValue("DATE '5881580-07-10'", 185_542_587_100_800_000_000n),
      momentValue("DATE '294247-01-10'", 9_223_372_022_400_000_000n),
      momentValue("DATE '294247-01-11'", 9_223_372_108_800_000_000n),
    ],
  },
];

function momentValue(sql: string, microseconds: bigint | undefined): TypedValue {
  return { sql, says: { type: "moment", microseconds } };
}

function timestampSql(moment: bigint): string {
  return `make_timestamp(${String(moment)})`;
}

function numberColumns(): TypedColumn[] {
  return [
    ...textColumns(numberTexts()),
    ...WHOLE_TYPES.map(({ type, lowest, highest }) => {
      const number = fc.oneof(
        { weight: 9, arbitrary: wholeNumbers().map(BigInt) },
        { weight: 1, arbitrary: fc.constantFrom(lowest, highest, -1n, 2n ** 32n + 1n) },
      );
      const inType = number.filter((value) => value >= lowest && value <= highest);
      return { type, values: inType.map((value) => numberValue(`CAST(${String(value)} AS ${type})`, value)) };
    }),
    ...["FLOAT", "DOUBLE"].map((type) => ({
      type,
      values: fc.oneof(
        { weight: 9, arbitrary: wholeNumbers().map((number) => floating(number, type)) },
        { weight: 1, arbitrary: fc.constantFrom(...FLOATS).map((number) => floating(number, type)) },
      ),
    })),
    ...DECIMAL_TYPES.map(({ type, fractions }) => ({
      type,
      values: fc.oneof(
        {
          weight: 9,
          arbitrary: fc
            .constantFrom(0n, 1n, 4n, 5n, 13n, 14n, 38n, -1n)
            .map((number) => numberValue(`CAST(${String(number)} AS ${type})`, number)),
        },
        ...fractions.map((sql) => ({
          weight: 1,
          arbitrary: fc.constant(numberValue(`CAST(${sql} AS ${type})`, undefined)),
        })),
      ),
    })),
  ];
}

const WHOLE_TYPES = [
  { type: "TINYINT", lowest: -(2n ** 7n), highest: 2n ** 7n - 1n },
  { type: "SMALLINT", lowest: -(2n ** 15n), highest: 2n ** 15n - 1n },
  { type: "INTEGER", lowest: -(2n ** 31n), highest: 2n ** 31n - 1n },
  { type: "BIGINT", lowest: -(2n ** 63n), highest: 2n ** 63n - 1n },
  { type: "HUGEINT", lowest: -(2n ** 127n), highest: 2n ** 127n - 1n },
  { type: "UTINYINT", lowest: 0n, highest: 2n ** 8n - 1n },
  { type: "USMALLINT", lowest: 0n, highest: 2n ** 16n - 1n },
  { type: "UINTEGER", lowest: 0n, highest: 2n ** 32n - 1n },
  { type: "UBIGINT", lowest: 0n, highest: 2n ** 64n - 1n },
  { type: "UHUGEINT", lowest: 0n, highest: 2n ** 128n - 1n },
];

const FLOATS = [4.5, -0, -1, 0.1, 1e300, 5e-324, 16_777_217, 2 ** 31, 2 ** 53, Infinity, -Infinity, NaN];

function floating(number: number, type: string): TypedValue {
  const held = type === "FLOAT" ? Math.fround(number) : number;
  const whole = Number.isInteger(held) ? BigInt(held) : undefined;
  return numberValue(`CAST('${Object.is(held, -0) ? "-0" : String(held)}' AS ${type})`, whole);
}

const DECIMAL_TYPES = [
  { type: "DECIMAL(4, 2)", fractions: ["4.5", "4.01"] },
  { type: "DECIMAL(9, 1)", fractions: ["12.5"] },
  { type: "DECIMAL(18, 0)", fractions: [] },
  { type: "DECIMAL(38, 10)", fractions: ["4.0000000001"] },
];

function numberValue(sql: string, whole: bigint | undefined): TypedValue {
  return { sql, says: { type: "number", whole } };
}

/** Types in which a voucher's values cannot be meant. */
const OTHER_COLUMNS: readonly TypedColumn[] = [
  { type: "BOOLEAN", values: otherValues("true", "false") },
  { type: "TIME", values: otherValues("TIME '12:00:00'", "TIME '24:00:00'") },
  { type: "TIMETZ", values: otherValues("TIMETZ '12:00:00+01'") },
  { type: "INTERVAL", values: otherValues("INTERVAL 12 DAY") },
  { type: "UUID", values: otherValues("UUID '12345678-1234-1234-1234-123456789012'") },
  { type: "JSON", values: otherValues("'12'::JSON", "'{}'::JSON", "'\"2020-05-01\"'::JSON") },
  { type: "INTEGER[]", values: otherValues("[12]", "CAST([] AS INTEGER[])") },
  { type: "STRUCT(a INTEGER, b VARCHAR)", values: otherValues("{a: 12, b: 'Peru'}") },
  { type: "MAP(VARCHAR, INTEGER)", values: otherValues("MAP {'a': 12}") },
];

function otherValues(...expressions: readonly string[]): fc.Arbitrary<TypedValue> {
  return fc.constantFrom(...expressions).map((sql) => ({ sql, says: { type: "other" } }));
}

/** A text as SQL, whatever it is made of: what a literal cannot hold goes through its bytes. */
export function textSql(text: string): string {
  return /^[ -~]*$/.test(text) ? `'${text.replaceAll("'", "''")}'` : `decode(${bytesSql(text)})`;
}

function bytesSql(text: string): string {
  return `unhex('${Buffer.from(text).toString("hex")}')`;
}

function modulo(number: bigint, divisor: bigint): bigint {
  return ((number % divisor) + divisor) % divisor;
}
