/**
 * What docs/contract.md says of one raw row, in plain TypeScript and written from its words alone: nothing of src/ or sql/
 * is used. Where the contract leaves freedom, every outcome that it allows is given.
 */

export const COLUMNS = [
  "timestamp",
  "country_code",
  "last_order_ts",
  "first_order_ts",
  "total_orders",
  "voucher_amount",
] as const;
export type Column = (typeof COLUMNS)[number];

/** A raw value, with the text that it is shown as where its row is rejected; null where it is NULL. */
export type RawValue =
  | { readonly type: "text"; readonly text: string | null }
  /** Of a DATE or TIMESTAMP column: microseconds since 1970 in UTC, further digits cut; undefined for an infinity. */
  | { readonly type: "moment"; readonly text: string; readonly microseconds: bigint | undefined }
  /** Of a column of numbers: undefined for what is no whole number. */
  | { readonly type: "number"; readonly text: string; readonly whole: bigint | undefined }
  /** Of a column of another type. */
  | { readonly type: "other"; readonly text: string };

export type RawRow = Readonly<Record<Column, RawValue>>;

export interface CuratedRow {
  /** The three moments are in microseconds since 1970, UTC. */
  readonly timestamp: bigint;
  readonly country_code: string;
  readonly last_order_ts: bigint;
  readonly first_order_ts: bigint | null;
  readonly total_orders: number;
  readonly voucher_amount: number;
  readonly days_since_last_order: number;
  readonly frequent_segment: string;
  readonly recency_segment: string;
}

/** What can become of a raw row. */
export type Outcome =
  | { readonly kind: "rejected"; readonly reasons: readonly string[] }
  | { readonly kind: "out of scope" }
  | { readonly kind: "curated"; readonly row: CuratedRow };

/** What a value is read as, or why its row is rejected. */
type Reading<Value> = { readonly value: Value } | { readonly fault: "missing" | "invalid" };

const INVALID = { fault: "invalid" } as const;
const MICROSECONDS_PER_DAY = 86_400_000_000n;
const LARGEST_INTEGER = 2_147_483_647n;
/** The moments that a TIMESTAMP can hold. */
const FIRST_MOMENT = -9_223_372_022_400_000_000n;
const LAST_MOMENT = 9_223_372_036_854_775_806n;

/** Every outcome that the contract allows for a row at an execution date, given in microseconds since 1970. */
export function outcomesOf(row: RawRow, executionDate: bigint): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const timestamp of readMoment(row.timestamp))
    for (const country of readCountry(row.country_code))
      for (const lastOrder of readMoment(row.last_order_ts))
        for (const firstOrder of readMoment(row.first_order_ts))
          for (const orders of readNumber(row.total_orders, 0n))
            for (const amount of readNumber(row.voucher_amount, 1n))
              outcomes.push(
                outcomeOf({ timestamp, country, lastOrder, firstOrder, orders, amount }, executionDate),
              );
  return outcomes;
}

interface RowReading {
  readonly timestamp: Reading<bigint>;
  readonly country: Reading<string>;
  readonly lastOrder: Reading<bigint>;
  readonly firstOrder: Reading<bigint>;
  readonly orders: Reading<number>;
  readonly amount: Reading<number>;
}

function outcomeOf(reading: RowReading, executionDate: bigint): Outcome {
  const { timestamp, country, lastOrder, firstOrder, orders, amount } = reading;
  if (
    "fault" in timestamp ||
    "fault" in country ||
    "fault" in lastOrder ||
    "fault" in orders ||
    "fault" in amount
  ) {
    const reasons = [
      reasonOf("timestamp", timestamp),
      reasonOf("country_code", country),
      reasonOf("last_order_ts", lastOrder),
      reasonOf("total_orders", orders),
      reasonOf("voucher_amount", amount),
    ].flat();
    return { kind: "rejected", reasons };
  }
  if (timestamp.value > executionDate || lastOrder.value > executionDate) return { kind: "out of scope" };
  const days = Number(dayOf(executionDate) - dayOf(lastOrder.value));
  return {
    kind: "curated",
    row: {
      timestamp: timestamp.value,
      country_code: country.value,
      last_order_ts: lastOrder.value,
      first_order_ts: "fault" in firstOrder ? null : firstOrder.value,
      total_orders: orders.value,
      voucher_amount: amount.value,
      days_since_last_order: days,
      frequent_segment: frequentSegment(orders.value),
      recency_segment: recencySegment(days),
    },
  };
}

function reasonOf(column: Column, reading: Reading<unknown>): string[] {
  return "fault" in reading ? [`${column}_${reading.fault}`] : [];
}

function frequentSegment(orders: number): string {
  if (orders <= 4) return "0-4";
  if (orders <= 13) return "5-13";
  return orders <= 37 ? "13-37" : "37+";
}

function recencySegment(days: number): string {
  if (days <= 30) return "0-30";
  if (days <= 60) return "30-60";
  if (days <= 90) return "60-90";
  if (days <= 120) return "90-120";
  return days <= 180 ? "120-180" : "180+";
}

/** Without the six blanks around it. JavaScript's own trim takes more. */
function stripped(text: string): string {
  return text.replace(/^[ \t\r\n\v\f]+/, "").replace(/[ \t\r\n\v\f]+$/, "");
}

function isMissing({ text }: RawValue): boolean {
  return text === null || stripped(text) === "";
}

function readCountry(value: RawValue): Reading<string>[] {
  if (isMissing(value)) return [{ fault: "missing" }];
  const country = stripped(value.text ?? "");
  const isValid = Array.from(country).length <= 64 && !country.includes("\0");
  return [isValid ? { value: country } : INVALID];
}

function readMoment(value: RawValue): Reading<bigint>[] {
  if (isMissing(value)) return [{ fault: "missing" }];
  if (value.type === "moment") return typedMoment(value.microseconds);
  const text = stripped(value.text ?? "");
  const moment = momentOf(text);
  if (moment === undefined) return [INVALID];
  const isSure =
    value.type === "text" &&
    /^(?!0000)\d{4}-\d{2}-\d{2}([ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?)?$/.test(
      text,
    );
  return isSure ? [{ value: moment }] : [{ value: moment }, INVALID];
}

function typedMoment(microseconds: bigint | undefined): Reading<bigint>[] {
  if (microseconds === undefined || microseconds < FIRST_MOMENT || microseconds > LAST_MOMENT)
    return [INVALID];
  return [{ value: microseconds }];
}

/** A date and perhaps a time of day and an offset, in any spelling that can be understood in one way only. */
const ANY_MOMENT =
  /^(\d{4,6})\s*([-/. ]|(?=\d{4}$))\s*(\d{1,2})\s*\2\s*(\d{1,2})\.?(?:[\sTt]+(\d{1,2})\.?:\s*(\d{1,2})\.?(?::\s*(\d{1,2})(?:[.,]\s*(\d*))?)?)?\s*(Z|z|UTC|utc|GMT|[+-]\d{1,2}(?::?\d{2})?(?::\d{2})?)?\s*$/;

/** What a text says as a moment, in microseconds since 1970; undefined where it says none. */
function momentOf(text: string): bigint | undefined {
  const match = ANY_MOMENT.exec(text);
  if (match === null) return undefined;
  const [, year = "", , month = "", day = "", hour = "0", minute = "0", second = "0", fraction, offset] =
    match;
  const days = daysSince1970(Number(year), Number(month), Number(day));
  if (days === undefined || !isTimeOfDay(Number(hour), Number(minute), Number(second))) return undefined;
  const seconds = (BigInt(hour) * 60n + BigInt(minute)) * 60n + BigInt(second);
  const digits = BigInt((fraction ?? "").slice(0, 6).padEnd(6, "0"));
  return BigInt(days) * MICROSECONDS_PER_DAY + (seconds - offsetSeconds(offset)) * 1_000_000n + digits;
}

/** The end of a day, and a leap second, are moments that a text can say. */
function isTimeOfDay(hour: number, minute: number, second: number): boolean {
  return (hour <= 23 && minute <= 59 && second <= 60) || (hour === 24 && minute === 0 && second === 0);
}

function offsetSeconds(offset: string | undefined): bigint {
  const match = /^([+-])(\d{1,2}):?(\d{2})?:?(\d{2})?$/.exec(offset ?? "");
  if (match === null) return 0n;
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = match;
  const size = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds);
  return sign === "-" ? -size : size;
}

/** Of the Gregorian calendar, also before it was made; undefined for a day that does not exist. */
function daysSince1970(year: number, month: number, day: number): number | undefined {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const length = lengths[month - 1];
  if (length === undefined || day < 1 || day > length) return undefined;
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  const inYear = lengths.slice(0, month - 1).reduce((sum, days) => sum + days, 0);
  return past * 365 + leapDays + inYear + day - 1 - 719_162;
}

function dayOf(moment: bigint): bigint {
  const day = moment / MICROSECONDS_PER_DAY;
  return moment < day * MICROSECONDS_PER_DAY ? day - 1n : day;
}

function readNumber(value: RawValue, lowest: bigint): Reading<number>[] {
  if (isMissing(value)) return [{ fault: "missing" }];
  if (value.type === "number") return [inRange(value.whole, lowest)];
  const text = stripped(value.text ?? "");
  if (value.type === "text" && /^(0|[1-9]\d*)(\.0)?$/.test(text))
    return [inRange(BigInt(text.replace(".0", "")), lowest)];
  return [inRange(numberOf(text), lowest), INVALID];
}

/** What another spelling says, through DOUBLE as the contract allows; undefined where that is no whole number. */
function numberOf(text: string): bigint | undefined {
  const plain = text.replaceAll(/(?<=\d)[_,](?=\d{3})/g, "");
  const number = /^[\s\p{N}+\-.eExX_]+$/u.test(plain)
    ? Number(plain.replace(/^([+-])\s*/, "$1"))
    : Number.NaN;
  return Number.isInteger(number) ? BigInt(number) : undefined;
}

function inRange(number: bigint | undefined, lowest: bigint): Reading<number> {
  if (number === undefined || number < lowest || number > LARGEST_INTEGER) return INVALID;
  return { value: Number(number) };
}

/**
 * An execution date in microseconds since 1970.
 * @param text in one of the forms in which it is given to a run.
 */
export function executionMoment(text: string): bigint {
  const moment = momentOf(text);
  if (moment === undefined) throw new RangeError(`${text} is no moment`);
  return moment;
}
