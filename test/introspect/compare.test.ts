import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { compareSql } from "../../src/introspect/compare.js";
import type { Comparison } from "../../src/record/comparison.js";
import { RunActivity } from "../../src/run/activity.js";
import { readSettings, type Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { pipeline } from "../cli/command.js";
import { putVouchers, voucher, type RawVoucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { fingerprint, makeFolder, makeWorkspace, PROJECT } from "../workspace.js";

/** How many changes of rules are compared. */
const CALLS = Number(process.env["COMPARE_CALLS"] ?? "10");
const SEED = Number(process.env["COMPARE_SEED"] ?? "20201129");

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomNumbers(seed);
  }

  upTo(most: number): number {
    return Math.floor(this.#next() * (most + 1));
  }

  of<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.upTo(items.length - 1)] ?? items[0];
  }
}

function someVouchers(chance: Chance): RawVoucher[] {
  return Array.from({ length: 300 }, () =>
    voucher({
      country_code: chance.of(["Peru", "Chile", "Latvia"]),
      total_orders: chance.of(["many", ...Array.from({ length: 20 }, () => chance.upTo(50).toString())]),
      voucher_amount: chance.of(["880", "1760", "2640", "3520"]),
      last_order_ts: `2020-0${(1 + chance.upTo(3)).toString()}-1${chance.upTo(9).toString()} 00:00:00`,
    }),
  );
}

/** Changes one rule of a copy of the SQL. Some changes break an audit. */
const CHANGES: readonly [ChangeOfRule, ...ChangeOfRule[]] = [
  [
    "segments.json",
    (text, chance) => text.replace('"up_to": 13', `"up_to": ${(6 + chance.upTo(30)).toString()}`),
  ],
  [
    "segments.json",
    (text, chance) => text.replace('"up_to": 60', `"up_to": ${(31 + chance.upTo(58)).toString()}`),
  ],
  [
    "curated/vouchers.sql",
    (text, chance) =>
      text.replace(
        "first_order_ts, total_orders, voucher_amount,\n  days_between",
        `first_order_ts, total_orders, CAST((voucher_amount // ${chance.of(["1000", "2000"])}) * 1000 + 500 AS INTEGER) AS voucher_amount,\n  days_between`,
      ),
  ],
  [
    "curated/vouchers.sql",
    (text, chance) =>
      text.replace(
        'SELECT\n  "timestamp", country_code,',
        `SELECT\n  "timestamp", CASE WHEN total_orders > ${chance.upTo(40).toString()} THEN 'Peru' ELSE country_code END AS country_code,`,
      ),
  ],
  [
    "provision/voucher_amount_usage.sql",
    (text) => text.replace("DESC, voucher_amount\n", "DESC, voucher_amount DESC\n"),
  ],
  ["curated/vouchers.sql", (text) => `${text}-- nothing else\n`],
];
type ChangeOfRule = readonly [file: string, change: (text: string, chance: Chance) => string];

async function changedSql(chance: Chance): Promise<string> {
  const folder = await makeFolder();
  await cp(path.join(PROJECT, "sql/v1"), path.join(folder, "v1"), { recursive: true });
  const [name, change] = chance.of(CHANGES);
  const file = path.join(folder, "v1", name);
  const text = await readFile(file, "utf8");
  const changed = change(text, chance);
  expect(changed).not.toBe(text);
  await writeFile(file, changed);
  return folder;
}

function compare(settings: Settings): Promise<Comparison> {
  const request = {
    executionDate: parseExecutionDate(EXECUTION_DATE),
    against: undefined,
    limit: undefined,
    campaign: undefined,
  };
  return compareSql(settings, request, new AbortController().signal, new RunActivity());
}

/** What a run would publish, or the code of its fault. */
async function outcomeOf<Result>(work: Promise<Result>): Promise<Result | string> {
  try {
    return await work;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("a comparison of SQL", () => {
  it(
    `gives the answers of a real run in a copy, and leaves every byte as it was, in ${CALLS.toString()} seeded calls`,
    async () => {
      const chance = new Chance(SEED);
      const made = await makeWorkspace({ maxRejectedShare: "1" });
      const { folder, settings } = made;
      const environment = { ...made.environment, MAX_REJECTED_SHARE: "1" };
      await putVouchers(settings.zones.raw, someVouchers(chance));
      // Of a process that has ended SQLite leaves one file: no other has the database open.
      expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0 });
      const before = await fingerprint(folder);
      let published = 0;
      for (let call = 1; call <= CALLS; call += 1) {
        const changed = { ...settings, sqlDirectory: await changedSql(chance) };
        const compared = await outcomeOf(compare(changed).then(({ answers }) => answers));
        const copy = await makeFolder();
        await promisify(execFile)("cp", ["-a", `${folder}/.`, copy]);
        const moved = Object.entries(environment).map(([name, value]) => [name, value.replace(folder, copy)]);
        const inCopy = {
          ...readSettings(Object.fromEntries(moved) as Record<string, string>),
          sqlDirectory: changed.sqlDirectory,
        };
        const ran = await outcomeOf(run(inCopy).then(({ answers }) => answers));
        expect({ call, seed: SEED, compared }).toEqual({ call, seed: SEED, compared: ran });
        if (typeof ran !== "string") published += 1;
      }
      expect(await fingerprint(folder)).toEqual(before);
      expect(published).toBeGreaterThan(CALLS / 3);
    },
    CALLS * 20_000,
  );
});
