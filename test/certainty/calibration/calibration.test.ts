import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Row } from "../../../src/engine/builder.js";
import type { Settings } from "../../../src/settings/settings.js";
import { dailyExecutionDates, parseExecutionDate } from "../../../src/voucher/execution-date.js";
import { readPartition, run } from "../../run/running.js";
import { putFile } from "../../storage.js";
import { makeWorkspace, PROJECT } from "../../workspace.js";

const DRAWS = 4_000;
/** Of so many draws a share of 5 % is found this far off in one of a thousand cells. */
const BY_CHANCE = 0.011;

/** An answer with how often another amount wins if the vouchers of its country and segment are drawn anew. */
interface Resampled {
  readonly place: string;
  readonly certainty: number;
  readonly word: Row[string] | undefined;
  /** The share of the draws. */
  readonly differs: number;
  readonly isUnanimous: boolean;
}

async function resampleDates(settings: Settings, first: string, last: string): Promise<Resampled[]> {
  const answers: Row[] = [];
  const uses = new Map<string, [number, number][]>();
  const placeOf = ({ execution_date, country_code, segment_kind, segment }: Row) =>
    JSON.stringify([execution_date, country_code, segment_kind, segment]);
  for (const { iso } of dailyExecutionDates(parseExecutionDate(first), parseExecutionDate(last))) {
    const date = iso.slice(0, 10);
    await run(settings, date, ["curate", "aggregate"]);
    answers.push(...(await readPartition(settings, "provision.voucher_answers", date)));
    for (const row of await readPartition(settings, "provision.voucher_amount_usage", date)) {
      const known = uses.get(placeOf(row)) ?? [];
      known.push([Number(row["voucher_amount"]), Number(row["assignments"])]);
      uses.set(placeOf(row), known);
    }
  }
  const cells = answers.map((answer) => uses.get(placeOf(answer)) ?? []);
  const python = path.join(process.env["CORPUS_PYTHON"] ?? "", "python");
  const script = path.join(PROJECT, "test/certainty/calibration/resample.py");
  const shares = JSON.parse(
    execFileSync(python, [script], {
      input: JSON.stringify({ cells, draws: DRAWS, seed: 2018 }),
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    }),
  ) as number[];
  return answers.map((answer, index) => ({
    place: placeOf(answer),
    certainty: Number(answer["certainty"]),
    word: answer["certainty_word"],
    differs: shares[index] ?? NaN,
    isUnanimous: answer["runner_up"] === null,
  }));
}

function expectCalibrated(resampled: readonly Resampled[]): void {
  const sure = resampled.filter(({ word }) => word === "sure");
  expect(sure.length).toBeGreaterThan(100);
  const differing = sure.reduce((sum, { differs }) => sum + differs, 0) / sure.length;
  expect(differing).toBeLessThanOrEqual(0.05);
  expect(sure.filter(({ differs }) => !(differs <= 0.05 + BY_CHANCE))).toEqual([]);
  // Vouchers that are all alike are all alike however they are drawn; the certainty says how little a few of them prove.
  const far = resampled.filter(
    ({ certainty, differs, isUnanimous }) => !isUnanimous && Math.abs(1 - differs - certainty) > 0.03,
  );
  expect(far).toEqual([]);
}

const REAL_FILE = process.env["VOUCHERS_2018_FILE"];

describe("answers that are called sure", () => {
  it("stay the same when the vouchers of the sample are drawn again", async () => {
    const { settings } = await makeWorkspace();
    const sample = path.join(PROJECT, "data/raw/vouchers");
    for (const file of await readdir(sample))
      await putFile(settings.zones.raw, `vouchers/${file}`, await readFile(path.join(sample, file)));
    expectCalibrated(await resampleDates(settings, "2020-05-20", "2020-05-29"));
  });

  (REAL_FILE === undefined ? it.skip : it)(
    "stay the same when those of 47 dates of 2018 are",
    async () => {
      const { settings } = await makeWorkspace();
      await putFile(
        settings.zones.raw,
        "vouchers/vouchers-2018.parquet.gzip",
        await readFile(REAL_FILE ?? ""),
      );
      const resampled = await resampleDates(settings, "2018-06-15", "2018-07-31");
      expect(new Set(resampled.map(({ place }) => place.slice(2, 12))).size).toBe(47);
      expectCalibrated(resampled);
    },
    600_000,
  );
});
