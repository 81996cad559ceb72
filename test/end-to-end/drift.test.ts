import { beforeAll, describe, expect, it } from "@jest/globals";
import type { RunReport } from "../../src/record/run-record.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putParquet } from "../duckdb.js";
import { times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { putFile, removeFile } from "../storage.js";
import type { Workspace } from "../workspace.js";
import { HEADER, LINE } from "./failing.js";

/** A good voucher in the types of another feed. */
const TYPED =
  `SELECT TIMESTAMP '2020-05-01 10:00:00' AS "timestamp", 'Peru' AS country_code, DATE '2020-04-20' AS last_order_ts, ` +
  "DATE '2019-01-01' AS first_order_ts, 7 AS total_orders, 2640.0::DOUBLE AS voucher_amount";

describe("the columns of raw files", () => {
  let workspace: Workspace & { report: RunReport };

  beforeAll(async () => {
    workspace = await runOver(times(3, voucher()));
  });

  it("are in the record of a run, once for all files with the same columns", () => {
    expect(workspace.report).toMatchObject({
      raw_columns: [
        {
          model: "raw.vouchers",
          format: "parquet",
          columns: expect.arrayContaining([{ name: "total_orders", type: "VARCHAR" }]),
          files: 1,
          first: "vouchers/part.parquet",
        },
      ],
      drift: [],
      warnings: [],
    });
  });

  it("may be more than a model reads: that is a warning of the first run that finds them only", async () => {
    const { settings, environment } = workspace;
    const { raw } = settings.zones;
    await putFile(raw, "vouchers/b.csv", `${HEADER},channel\n${LINE},app\n`);
    await putFile(raw, "vouchers/c.csv", `channel,${HEADER}\nweb,${LINE}\n`);
    const { code, stdout, stderr } = await pipeline(["-e", "2020-05-29", "--verbose"], environment);
    expect(code).toBe(0);
    expect(stderr).toBe(
      "warning: raw.vouchers: the column channel (VARCHAR) is new in 2 files, as vouchers/b.csv, and no model reads it\n",
    );
    expect(stdout).toMatch(
      /Changed columns of the raw files:\n.*\n {2}raw\.vouchers +channel +new +VARCHAR +2 +vouchers\/b\.csv\n/,
    );
    const next = await run(settings, "2020-05-30");
    expect(next).toMatchObject({ drift: [], warnings: [] });
    expect(next.raw_columns.map(({ format, files }) => [format, files])).toEqual([
      ["csv", 2],
      ["parquet", 1],
    ]);
    expect((await pipeline(["runs", next.run_id], environment)).stdout).toMatch(
      / raw model +format +files +first +columns\n {2}raw\.vouchers +csv +2 +vouchers\/b\.csv +timestamp VARCHAR, .*channel VARCHAR/,
    );
    await removeFile(raw, "vouchers/b.csv");
    await removeFile(raw, "vouchers/c.csv");
    expect(await run(settings)).toMatchObject({
      drift: [{ column: "channel", change: "gone" }],
      warnings: [],
    });
  });
});

it("raw columns of other types with the same values give no warning, and the same answers", async () => {
  const { settings } = await runOver([voucher()]);
  const answers = () => readTable(settings, "SELECT * FROM voucher_frequent_most_used");
  const before = await answers();
  await putParquet(settings.zones.raw, "vouchers/part.parquet", TYPED);
  const report = await run(settings);
  expect(report).toMatchObject({ published: { isNew: false }, warnings: [] });
  expect(report.drift).toHaveLength(5);
  expect(report.drift).toContainEqual({
    model: "raw.vouchers",
    column: "voucher_amount",
    change: "retyped",
    types_before: ["VARCHAR"],
    types: ["DOUBLE"],
    files: 1,
    first: "vouchers/part.parquet",
  });
  expect(await answers()).toEqual(before);
});

it("a missing raw column that a model reads stops the run, and the message names both", async () => {
  const { settings } = await runOver([voucher()]);
  await putParquet(
    settings.zones.raw,
    "vouchers/b.parquet",
    `SELECT * EXCLUDE (voucher_amount) FROM (${TYPED})`,
  );
  await expect(run(settings)).rejects.toMatchObject({
    code: "RAW_FILE_UNREADABLE",
    message: expect.stringContaining(
      "vouchers/b.parquet: lacks voucher_amount; it has timestamp, country_code",
    ),
  });
});
