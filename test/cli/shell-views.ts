import { mkdir } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { isOnS3 } from "../../src/base/s3-access.js";
import type { Row } from "../../src/engine/builder.js";
import { loadSqlVersion } from "../../src/models/load.js";
import { isWritten } from "../../src/models/model.js";
import { allOf } from "../../src/models/shell-views.js";
import { putParquet } from "../duckdb.js";
import { makeManyOf } from "../many-files.js";
import type { Place } from "../place.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { putFile } from "../storage.js";
import { makeWorkspace, SHIPPED_SQL } from "../workspace.js";
import { pipeline } from "./warm-command.js";

/** Runs one statement in a shell of its own, and gives its rows. Everything but success throws. */
export type Ask = (sql: string, environment: Record<string, string>) => Promise<Row[]>;

/** What holds for the views of every shell, wherever the zones are. */
export function describeViews(place: Place, ask: Ask): void {
  describe("over zones with two runs", () => {
    let environment: Record<string, string>;
    const answer = (sql: string) => ask(sql, environment);

    beforeAll(async () => {
      environment = await filledLake(place);
    });

    it("a view is the partition that readers see, and another one is all of them", async () => {
      expect(
        await answer("SELECT execution_date, count(*) AS rows FROM curated_vouchers GROUP BY ALL"),
      ).toEqual([{ execution_date: "2020-06-01T000000", rows: 6 }]);
      expect(
        await answer(
          "SELECT execution_date, count(*) AS rows FROM curated_vouchers_all GROUP BY ALL ORDER BY ALL",
        ),
      ).toEqual([
        { execution_date: "2020-05-29T000000", rows: 5 },
        { execution_date: "2020-06-01T000000", rows: 6 },
      ]);
    });

    it("an execution date is the key of its partition, and a moment for calculations", async () => {
      expect(
        await answer(`
          SELECT DISTINCT execution_date, moment_of(execution_date)::DATE - DATE '2020-05-01' AS days
          FROM provision_voucher_frequent_most_used_all
          WHERE execution_date = '2020-05-29T000000' AND execution_date < '2020-06-01' AND execution_date = DATE '2020-05-29'
        `),
      ).toEqual([{ execution_date: "2020-05-29T000000", days: 28 }]);
    });

    it("the dates are listed, and one of them is shown", async () => {
      expect(await answer("SELECT execution_date, is_shown FROM execution_dates")).toEqual([
        { execution_date: "2020-05-29T000000", is_shown: false },
        { execution_date: "2020-06-01T000000", is_shown: true },
      ]);
    });

    it("rejected vouchers come with their reasons", async () => {
      expect(
        await answer(
          "SELECT reject_reasons, source_file, execution_date FROM curated_vouchers_rejected ORDER BY ALL",
        ),
      ).toEqual([
        {
          reject_reasons: ["total_orders_invalid"],
          source_file: "vouchers/2020/typed.parquet.gzip",
          execution_date: "2020-06-01T000000",
        },
        {
          reject_reasons: ["total_orders_missing"],
          source_file: "vouchers/part.parquet",
          execution_date: "2020-06-01T000000",
        },
      ]);
    });

    it("raw files are unchanged, of every format, each value as text", async () => {
      const rows = await answer(
        "SELECT source_file, * EXCLUDE (source_file) FROM raw_vouchers WHERE country_code <> 'Peru' ORDER BY ALL",
      );
      const moments = { last_order_ts: "2020-04-20 00:00:00", first_order_ts: null };
      expect(rows).toEqual([
        {
          source_file: "vouchers/2020/packed.csv.gz",
          country_code: "Latvia",
          timestamp: "2020-05-03",
          ...moments,
          total_orders: "007",
          voucher_amount: "2640",
        },
        {
          source_file: "vouchers/2020/typed.parquet.gzip",
          country_code: "Chile",
          timestamp: "2020-05-02 10:00:00.123456",
          ...moments,
          total_orders: "9007199254740993",
          voucher_amount: "2640.0",
        },
        {
          source_file: "vouchers/late, very.csv",
          country_code: 'Au"stra,lia',
          timestamp: "2020-05-04 10:00",
          ...moments,
          total_orders: " 7",
          voucher_amount: "4400",
        },
      ]);
      expect(await answer("SELECT count(*) AS rows FROM raw_vouchers")).toEqual([{ rows: 8 }]);
    });

    it("views join", async () => {
      expect(
        await answer(`
          SELECT DISTINCT raw.country_code FROM raw_vouchers AS raw
          ANTI JOIN curated_vouchers AS curated USING (country_code) ORDER BY ALL
        `),
      ).toEqual([{ country_code: "Chile" }]);
    });
  });

  describe("over empty zones", () => {
    let environment: Record<string, string>;
    const answer = (sql: string) => ask(sql, environment);

    beforeAll(async () => {
      ({ environment } = await makeWorkspace({}, place));
    });

    it("every table has its views, with their columns and types, and no row", async () => {
      const { models } = await loadSqlVersion(SHIPPED_SQL, "v1");
      const written = models.filter(isWritten);
      expect(written).not.toEqual([]);
      const described = written.flatMap((model) =>
        Object.entries(model.header.columns).map(([column_name, { type }]) => ({
          view: allOf(model),
          column_name,
          column_type: type,
        })),
      );
      const views = written.map(allOf);
      const union = (select: (view: string) => string) => views.map(select).join(" UNION ALL ");
      expect(
        await answer(
          union((view) => `SELECT '${view}' AS view, column_name, column_type FROM (DESCRIBE ${view})`),
        ),
      ).toEqual(described);
      expect(
        await answer(union((view) => `SELECT count(*) AS rows FROM ${view.replace(/_all$/, "")}`)),
      ).toEqual(views.map(() => ({ rows: 0 })));
      expect(await answer("SELECT count(*) AS rows FROM raw_vouchers")).toEqual([{ rows: 0 }]);
    });
  });

  describe("over an unreadable raw file", () => {
    it("only the view of that file fails", async () => {
      const { environment, settings } = await makeWorkspace({}, place);
      const readRaw = () => ask("SELECT count(country_code) AS rows FROM raw_vouchers", environment);
      await putFile(settings.zones.raw, "vouchers/short.csv", "country_code,total_orders\nPeru\n");
      await expect(readRaw()).rejects.toThrow(/Invalid Input Error: Error when sniffing file/);
      await putFile(settings.zones.raw, "vouchers/short.csv", "country_code,total_orders\nPeru,1\n");
      expect(await readRaw()).toEqual([{ rows: 1 }]);
      await putFile(settings.zones.raw, "vouchers/broken.parquet", "this is no Parquet file at all");
      await expect(readRaw()).rejects.toThrow(/broken\.parquet/);
      expect(await ask("SELECT count(*) AS rows FROM curated_vouchers", environment)).toEqual([{ rows: 0 }]);
    });
  });
}

/** Zones with raw files of every format that two runs have curated and aggregated: into one file, or into many. */
async function filledLake(place: Place): Promise<Record<string, string>> {
  const workspace = await makeWorkspace({}, place);
  const environment = { ...workspace.environment };
  if (!isOnS3(environment["RAW_ZONE"] ?? "")) {
    // What SQL and its patterns make something of, and what a person's shell does.
    const odd = path.join(workspace.folder, "it's [a] *lake*", "$$ of mine");
    await mkdir(odd, { recursive: true });
    for (const zone of ["raw", "curated", "provision"]) {
      environment[`${zone.toUpperCase()}_ZONE`] = path.join(odd, zone);
    }
  }
  await putRawFiles(environment["RAW_ZONE"] ?? "");
  for (const date of ["2020-06-01", "2020-05-29"]) {
    expect(await pipeline(["run", "-e", date], environment)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning: 1 raw file is ignored .*: vouchers\/README\.md;.*\n$/),
    });
  }
  await makeManyOf(environment["CURATED_ZONE"] ?? "", "vouchers", "2020-06-01T000000");
  return environment;
}

async function putRawFiles(raw: string): Promise<void> {
  const good = times(3, voucher());
  const later = voucher({ timestamp: "2020-05-30 10:00:00+00:00" });
  await putVouchers(raw, [...good, later, voucher({ total_orders: "" })], "vouchers/part.parquet");
  await putParquet(
    raw,
    "vouchers/2020/typed.parquet.gzip",
    `SELECT 'Chile' AS country_code, 2640.0::DOUBLE AS voucher_amount, 9007199254740993 AS total_orders, 1 AS other,
       TIMESTAMP '2020-05-02 10:00:00.123456' AS "timestamp", TIMESTAMP '2020-04-20' AS last_order_ts,
       NULL::TIMESTAMP AS first_order_ts`,
  );
  const columns = "country_code,first_order_ts,last_order_ts,total_orders,timestamp,voucher_amount";
  await putFile(
    raw,
    "vouchers/late, very.csv",
    `${columns},note\r\n"Au""stra,lia",,2020-04-20 00:00:00, 7,2020-05-04 10:00,4400,"two\nlines"\r\n`,
  );
  await putFile(
    raw,
    "vouchers/2020/packed.csv.gz",
    gzipSync(`${columns}\nLatvia,"",2020-04-20 00:00:00,007,2020-05-03,2640\n`),
  );
  // Names that do not count, and files that are no raw files.
  await putVouchers(raw, good, "vouchers/_old/part.parquet");
  await putFile(raw, "vouchers/.late.csv", "no,matter\nat,all\n");
  await putFile(raw, "vouchers/README.md", "no matter");
}
