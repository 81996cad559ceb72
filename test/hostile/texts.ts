import fc from "fast-check";

/** Texts as raw values of a voucher: good ones, and everything that feeds and people have made of them. */

export const MICROSECONDS_PER_DAY = 86_400_000_000n;
const FIRST_YEAR = -62_135_596_800_000_000n;
const LAST_YEAR = 253_402_300_799_999_999n;
const BLANKS = fc.string({ unit: fc.constantFrom(" ", "\t", "\r", "\n", "\v", "\f"), maxLength: 4 });

/** Moments in microseconds since 1970: around an execution date, at the edges of its segments, and far away. */
export function moments(executionDate: bigint): fc.Arbitrary<bigint> {
  const nearby = fc
    .tuple(
      fc.constantFrom(0n, 1n, 30n, 31n, 60n, 61n, 90n, 91n, 120n, 121n, 180n, 181n, -1n),
      fc.constantFrom(0n, 1n, -1n, 3_600_000_000n),
    )
    .map(([days, more]) => executionDate - days * MICROSECONDS_PER_DAY - more);
  return fc.oneof(
    { weight: 6, arbitrary: fc.bigInt(executionDate - 200n * MICROSECONDS_PER_DAY, executionDate) },
    { weight: 6, arbitrary: nearby },
    { weight: 1, arbitrary: fc.bigInt(FIRST_YEAR, LAST_YEAR) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(FIRST_YEAR, LAST_YEAR, 0n, -1n, -999_999n, 951_782_400_000_000n),
    },
  );
}

/** A text for `timestamp`, `last_order_ts` or `first_order_ts`. */
export function momentTexts(executionDate: bigint): fc.Arbitrary<string> {
  const moment = moments(executionDate).filter(isFourDigitYear);
  const good = fc.tuple(moment, fc.constantFrom(...GOOD_SPELLINGS)).map(([at, spell]) => spell(at));
  const other = fc.tuple(moment, fc.constantFrom(...OTHER_SPELLINGS)).map(([at, spell]) => spell(at));
  return fc.oneof(
    { weight: 12, arbitrary: good },
    { weight: 1, arbitrary: amongBlanks(good) },
    { weight: 1, arbitrary: other },
    { weight: 1, arbitrary: mutated(good, " +-0123T:/.Zz9,a%'") },
    { weight: 1, arbitrary: fc.constantFrom(...NO_MOMENTS) },
    { weight: 1, arbitrary: anyTexts() },
  );
}

type Spelling = (moment: bigint) => string;

const day: Spelling = (moment) => iso(moment).slice(0, 10);
const clock: Spelling = (moment) => iso(moment).slice(11, 19);
const fraction: Spelling = (moment) => String(micros(moment)).padStart(6, "0");

/** The same moment on a clock that is some minutes ahead of UTC. */
const ahead = (minutes: number, spell: Spelling): Spelling => {
  const sign = minutes < 0 ? "-" : "+";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const offset = `${sign}${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
  return (moment) => {
    const local = moment + BigInt(minutes) * 60_000_000n;
    return isFourDigitYear(local) ? spell(local) + offset : spell(moment);
  };
};

const GOOD_SPELLINGS: readonly Spelling[] = [
  day,
  (moment) => `${day(moment)} ${clock(moment)}`,
  (moment) => `${day(moment)}T${clock(moment)}`,
  (moment) => `${day(moment)}T${clock(moment)}Z`,
  (moment) => `${day(moment)} ${clock(moment)}+00:00`,
  (moment) => `${day(moment)} ${clock(moment)}.${fraction(moment)}`,
  (moment) => `${day(moment)} ${clock(moment)}.${fraction(moment)}789`,
  (moment) => `${day(moment)} ${clock(moment)}.${fraction(moment).slice(0, 3)}Z`,
  ahead(0, (moment) => `${day(moment)} ${clock(moment)}.${fraction(moment)}`),
  ahead(120, (moment) => `${day(moment)}T${clock(moment)}.${fraction(moment)}999`),
  ahead(-570, (moment) => `${day(moment)} ${clock(moment)}`),
  ahead(1439, (moment) => `${day(moment)} ${clock(moment)}.${fraction(moment).slice(0, 1)}`),
  ahead(-1439, (moment) => `${day(moment)} ${clock(moment)}`),
];

const OTHER_SPELLINGS: readonly Spelling[] = [
  (moment) => `${day(moment)} ${clock(moment).slice(0, 5)}`,
  (moment) => `${day(moment)}t${clock(moment)}z`,
  (moment) => `${day(moment)}  ${clock(moment)}`,
  (moment) => `${day(moment)} ${clock(moment)} UTC`,
  (moment) => `${day(moment)} ${clock(moment)} +02:00`,
  (moment) => `${day(moment)} ${clock(moment)}+02`,
  (moment) => `${day(moment)} ${clock(moment)}-0530`,
  (moment) => `${day(moment)} ${clock(moment)}+24:00`,
  (moment) => `${day(moment)} ${clock(moment)}+99:99`,
  (moment) => `${day(moment)} ${clock(moment)}.5+02`,
  (moment) => `${day(moment)} ${clock(moment)}.12-0100`,
  (moment) => `${day(moment)} ${clock(moment)}.1234567891`,
  (moment) => `${day(moment)} ${clock(moment)},5`,
  (moment) => `${day(moment)}Z`,
  (moment) => `${day(moment)}+02:00`,
  (moment) => `${day(moment)} 24:00:00`,
  (moment) => `${day(moment)} 23:59:60`,
  (moment) => `${day(moment)} ${clock(moment)} Europe/Berlin`,
  (moment) => `${day(moment)} ${clock(moment)} (BC)`,
  (moment) => day(moment).replaceAll("-", "/"),
  (moment) => day(moment).replaceAll("-", ""),
  (moment) => day(moment).replaceAll("-0", "-"),
  (moment) => day(moment).split("-").reverse().join("."),
  (moment) => String(moment / 1_000_000n),
];

const NO_MOMENTS = [
  ...["", " ", "\t\r\n\v\f ", "NULL", "NA", "NaT", "now", "today", "epoch", "infinity", "-infinity", "inf"],
  ...["2020-02-30", "2019-02-29", "1900-02-29", "2020-13-01", "2020-00-10", "2020-01-00", "0000-01-01"],
  ...["2020-05-01 25:61:00", "2020-05-01 24:00:01", "2020-05-01 23:60:00", "-2020-05-01", "+2020-05-01"],
  ...["10000-01-01", "294247-01-11", "99999-12-31", "2020-05", "2020", "12:00:00", "\u00a02020-05-01"],
  ...[
    "２０２０-０５-０１",
    "2020‐05‐01",
    "2020-05-01 10:00:00\u0000",
    "2020-05-01T",
    "2020-W18-5",
    "2020-122",
  ],
];

/** A text for `total_orders` or `voucher_amount`. */
export function numberTexts(): fc.Arbitrary<string> {
  const good = fc
    .tuple(wholeNumbers(), fc.constantFrom("", "", ".0"))
    .map(([number, tail]) => String(number) + tail);
  return fc.oneof(
    { weight: 12, arbitrary: good },
    { weight: 1, arbitrary: amongBlanks(good) },
    { weight: 1, arbitrary: mutated(good, " +-0.,eExX_9'%") },
    { weight: 1, arbitrary: fc.constantFrom(...NO_WHOLE_NUMBERS) },
    { weight: 1, arbitrary: fc.double().map(String) },
    { weight: 1, arbitrary: fc.bigInt().map(String) },
    { weight: 1, arbitrary: anyTexts() },
  );
}

/** Few, so that vouchers of a group tie; and the edges of the segments and of the type. */
export function wholeNumbers(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(1, 4, 5, 13, 14, 37, 38) },
    { weight: 1, arbitrary: fc.constantFrom(0, 2_147_483_647, 2_147_483_648, 2_640) },
  );
}

const NO_WHOLE_NUMBERS = [
  ...[
    "",
    " \n",
    "NULL",
    "NA",
    "-1",
    "-0",
    "-0.0",
    "+12",
    "0012",
    "12.",
    ".0",
    "12.000",
    "12.50",
    "4.5",
    "4,5",
  ],
  ...[
    "1e3",
    "1E+2",
    "5e-1",
    "0x10",
    "0b11",
    "0o7",
    "1_000",
    "1,000",
    "1.000,0",
    "1 000",
    "twelve",
    "١٢",
    "１２",
  ],
  ...["nan", "NaN", "inf", "Infinity", "-Infinity", "true", "2147483647.0", "2147483648", "4294967297"],
  ...[
    "9223372036854775808",
    "99999999999999999999999999",
    "4.0000000000000000001",
    "1e400",
    "½",
    "Ⅻ",
    "12\u0000",
  ],
];

/** A text for `country_code`: few countries, so that they have several vouchers each, and hostile ones. */
export function countryTexts(): fc.Arbitrary<string> {
  const countries = fc.constantFrom("Peru", "Peru", "Chile", "peru", "Per\u00fa", "Peru\u0301", "NULL", "国");
  return fc.oneof(
    { weight: 10, arbitrary: countries },
    { weight: 1, arbitrary: amongBlanks(countries) },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_COUNTRIES) },
    { weight: 1, arbitrary: fc.constantFrom(64, 65).map((length) => "🎁".repeat(length)) },
    { weight: 1, arbitrary: anyTexts() },
  );
}

const HOSTILE_COUNTRIES = [
  ...["", " ", "NA", "\u00a0", "\u3000", "\ufeff", "Pe", "Peru\u200b", "Pe\u0000ru", "\u0000"],
  ...["\u202eureP", "مصر", "e\u0301".repeat(32), "e\u0301".repeat(33), "'; DROP TABLE publications; --", '"'],
  ...["{{ 7 }}", "%s", "\\", "\\u0000", "a,b", "a\nb", "a\r\nb", "\u001b[31m", "\ud7ff", "\ue000", "\uffff"],
  ...[
    "👨‍👩‍👧‍👦",
    "ß",
    "SS",
    "ss",
    "ı",
    "I",
    "i",
    "İ",
    "\u0001Peru",
    "\u0085",
    "\u2028",
    "constructor",
    "__proto__",
  ],
];

/** Any text that UTF-8 can say. */
export function anyTexts(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "'", " ", "\t", "a", "\\"), maxLength: 6 }),
    fc.nat(5000).map((length) => "x".repeat(length)),
  );
}

function amongBlanks(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(BLANKS, texts, BLANKS).map((parts) => parts.join(""));
}

/** Texts with one character left out, put in, or changed. */
function mutated(texts: fc.Arbitrary<string>, characters: string): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.nat(40), fc.constantFrom("", ...Array.from(characters)), fc.constantFrom(0, 1))
    .map(([text, at, put, taken]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + taken);
    });
}

function isFourDigitYear(moment: bigint): boolean {
  return moment >= FIRST_YEAR && moment <= LAST_YEAR;
}

function micros(moment: bigint): bigint {
  return ((moment % 1_000_000n) + 1_000_000n) % 1_000_000n;
}

function iso(moment: bigint): string {
  return new Date(Number((moment - micros(moment)) / 1000n)).toISOString();
}
