import { readdir } from "node:fs/promises";
import { crc32, gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import type { InspectionReport } from "../../src/introspect/inspect.js";
import type { RunReport } from "../../src/record/run-record.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putParquet } from "../duckdb.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, readPartition, run } from "../run/running.js";
import { getFile, putFile, removeFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";
import { expectFailure, goodWorkspace, HEADER, LINE, type GoodWorkspace } from "./failing.js";

/** Files that cannot be read, by name, and what a run says of each. */
type FaultyFiles = Readonly<Record<string, readonly [content: string | Buffer, said: string]>>;

/** Expects a run over files to name each of them in a line of its message, and no other file. */
async function expectEachNamed(workspace: GoodWorkspace, files: FaultyFiles): Promise<void> {
  for (const [name, [content]] of Object.entries(files)) await putFile(workspace.raw, name, content);
  const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", []);
  const lines = message.split("\n").slice(1);
  expect(lines).toHaveLength(Object.keys(files).length);
  for (const [name, [, said]] of Object.entries(files))
    expect(lines.find((line) => line.startsWith(`  vouchers/${name}: `))).toContain(said);
}

describe("a raw zone", () => {
  it("without files stops the run, and the message names the folder", async () => {
    const workspace = await goodWorkspace();
    await removeFile(workspace.raw, "part.parquet");
    await putFile(workspace.raw, "README.txt", "no vouchers");
    await putFile(workspace.raw, ".hidden.csv", "no vouchers");
    await putFile(workspace.raw, "_part.parquet", "no vouchers");
    await expectFailure(workspace, "RAW_ZONE_EMPTY", [workspace.raw, "RAW_ZONE"]);
  });

  it("with several faults has all of them in the message", async () => {
    const workspace = await goodWorkspace();
    await putFile(workspace.raw, "garbage.parquet", "PAR1 garbage PAR1");
    await putFile(workspace.raw, "empty.parquet", "");
    await putFile(workspace.raw, "empty.csv", "");
    await putFile(workspace.raw, "poor.csv", "timestamp,country_code\n1,2\n");
    await putParquet(workspace.raw, "poor.parquet", "SELECT 1 AS country_code, 2 AS Timestamp");
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", [
      "vouchers/garbage.parquet",
      "vouchers/empty.parquet: is empty",
      "vouchers/empty.csv: is empty",
      "vouchers/poor.csv: lacks last_order_ts, first_order_ts, total_orders, voucher_amount; it has timestamp, country_code",
      "vouchers/poor.parquet: lacks timestamp, last_order_ts, first_order_ts, total_orders, voucher_amount; it has country_code, Timestamp",
    ]);
    expect(message).not.toContain("part.parquet");
  });

  it.each<[string, string | Buffer]>([
    ["short row", `${HEADER}\n${LINE}\n2020-05-01,Peru\n`],
    ["long row", `${HEADER}\n${LINE},1\n`],
    ["quote that is not closed", `${HEADER}\n${LINE}\n"2020-05-01,Peru,2020-04-20,2019-01-01,7,2640\n`],
    ["quote in a value without quotes", `${HEADER}\n2020-05-01,Pe"ru,2020-04-20,2019-01-01,7,2640\n`],
    ["blank after a closing quote", `${HEADER}\n2020-05-01,"Peru" ,2020-04-20,2019-01-01,7,2640\n`],
    ["blank before an opening quote", `${HEADER}\n2020-05-01, "Peru",2020-04-20,2019-01-01,7,2640\n`],
    ["line break in a name of its header", `${HEADER},"ex\r\ntra"\n${LINE},1\n`],
    ["quote within a value", `${HEADER}\n2020-05-01,"Pe"ru",2020-04-20,2019-01-01,7,2640\n`],
    ["other delimiter", `${HEADER}\n${LINE}\n`.replaceAll(",", ";")],
    ["column given twice", `${HEADER},timestamp\n${LINE},2020-01-01\n`],
    [
      "text that is not UTF-8",
      Buffer.from(`${HEADER}\n2020-05-01,Per\u00fa,2020-04-20,2019-01-01,7,2640\n`, "latin1"),
    ],
    ["name in its header that is not UTF-8", Buffer.from(`${HEADER},caf\u00e9\n${LINE},no\n`, "latin1")],
    [
      "text that is not UTF-8 in a column that is not read",
      Buffer.from(`cafe,${HEADER}\ncaf\u00e9,${LINE}\n`, "latin1"),
    ],
    ["encoding of two bytes", Buffer.from(`\ufeff${HEADER}\n${LINE}\n`, "utf16le")],
  ])("with a CSV that has a %s stops the run and names the file", async (_fault, content) => {
    const workspace = await goodWorkspace();
    await putFile(workspace.raw, "faulty.csv", content);
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/faulty.csv"]);
    expect(message).not.toContain("part.parquet");
  });

  it("with faulty CSV files has the line and the cause of each in the message", async () => {
    const workspace = await goodWorkspace();
    const good = `${HEADER}\n${LINE}\n`;
    const commas = (more: string) => `${good}2020-05-01,Peru,2020-04-20,2019-01-01,1,234,${more}\n`;
    const faults: FaultyFiles = {
      "comma.csv": [commas(""), "line 3 has 7 fields, but the header has 6"],
      "quotes.csv": [commas('""'), "line 3 has 7 fields, but the header has 6"],
      "blank.csv": [commas(" "), "line 3 has 7 fields, but the header has 6"],
      "commas.csv": [commas(","), "line 3 has 8 fields, but the header has 6"],
      "last.csv": [commas("").trimEnd(), "line 3 has 7 fields, but the header has 6"],
      "late.csv": [
        `${HEADER}\n${`${LINE}\n`.repeat(2100)}${LINE},\n${LINE}\n`,
        "line 2102 has 7 fields, but the header has 6",
      ],
      "packed.csv.gz": [gzipSync(commas("")), "line 3 has 7 fields, but the header has 6"],
      "carriage.csv": [commas("").replaceAll("\n", "\r"), "line 3 has 7 fields, but the header has 6"],
      "few.csv": [`${good}2020-05-01,Peru\n`, "line 3 has 2 fields, but the header has 6"],
      "header-comma.csv": [`${HEADER},\n${LINE}\n`, "line 2 has 6 fields, but the header has 7"],
      "mixed.csv": [`${HEADER}\n${LINE}\r\n`, "line 2 ends in CRLF, but line 1 in LF"],
      "cr-cr-lf.csv": [good.replaceAll("\n", "\r\r\n"), "line 1 ends in CR CR LF"],
      "cr.csv": [good.replace("Peru", "Pe\rru"), "line 2 has a carriage return (CR) outside of quotes"],
      "two-marks.csv": [`\ufeff\ufeff${good}`, "it has the invisible character U+FEFF"],
      "zero-width.csv": [good.replace("country", "coun\u200btry"), "it has the invisible character U+200B"],
      "no-break.csv": [good.replace("code", "code\u00a0"), "it has the invisible character U+00A0"],
      "around.csv": [good.replace("country_code", " country_code"), "it has spaces around it"],
      "case.csv": [good.replace("country_code", "Country_Code"), "only the case differs"],
      "letter.csv": [good.replace("country_code", "c\u043euntry_code"), "c<U+043E>untry_code"],
    };
    await expectEachNamed(workspace, faults);
  });

  it("with gzip that the engine cannot read says to repack it", async () => {
    const workspace = await goodWorkspace();
    const whole = gzipSync(`${HEADER}\n${LINE}\n`);
    const flagged = (flags: number, more: string | Buffer) =>
      Buffer.concat([
        whole.subarray(0, 3),
        Buffer.from([flags]),
        whole.subarray(4, 10),
        Buffer.from(more),
        whole.subarray(10),
      ]);
    const checksum = Buffer.alloc(2);
    const begin = Buffer.concat([whole.subarray(0, 3), Buffer.from([2]), whole.subarray(4, 10)]);
    checksum.writeUInt16LE(crc32(begin) & 0xffff);
    const files = {
      "comment.csv.gz": flagged(16, "a comment\0"),
      "checksum.csv.gz": flagged(2, checksum),
      "text.csv.gz": flagged(1, ""),
      "zeros.csv.gz": Buffer.concat([whole, Buffer.alloc(512)]),
    };
    for (const [name, content] of Object.entries(files)) await putFile(workspace.raw, name, content);
    const named = Object.keys(files).map((name) => `vouchers/${name}: `);
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", named);
    expect(message.match(/repack it: gunzip -c/g)).toHaveLength(named.length);
  });

  it("with files of another kind than their names has the kind of each in the message", async () => {
    const workspace = await goodWorkspace();
    const good = `${HEADER}\n${LINE}\n`;
    const parquet = await getFile(workspace.raw, "part.parquet");
    const foreign: FaultyFiles = {
      "page.csv": ["<!DOCTYPE html>\n<html><title>Sign in</title></html>", "is an HTML page"],
      "answer.csv": ['<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', "is XML"],
      "pointer.csv": ["version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"],
      "pointer.parquet": [
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "git lfs pull",
      ],
      "lines.csv": ['{"timestamp":"2020-05-01"}\n', "is JSON"],
      "packed.parquet": [gzipSync(parquet), "is a Parquet file inside gzip"],
      "packed.parquet.gzip": [gzipSync(parquet), "is a Parquet file inside gzip"],
      "packed.csv": [gzipSync(good), "name it *.csv.gz"],
      "plain.csv.gz": [good, "name it *.csv"],
      "other.csv": [parquet, "is a Parquet file"],
      "other.parquet": [good, "is CSV; name it *.csv"],
      "zip.csv": ["PK\x03\x04 of something", "is a ZIP archive"],
      "two-bytes.csv": [Buffer.from(`\ufeff${good}`, "utf16le"), "is text in UTF-16"],
      "tabs.csv": [good.replaceAll(",", "\t"), "has its values separated by tabs"],
      "excel.csv": [`sep=,\n${good}`, "begins with Excel's line sep="],
    };
    await expectEachNamed(workspace, foreign);
  });

  it.each([0.3, 0.7, 0.95])(
    "with a gzip that was cut at %d of its length stops the run and names the file",
    async (share) => {
      const workspace = await goodWorkspace();
      const lines = Array.from({ length: 5000 }, (_, index) => LINE.replace("7", String(index)));
      const whole = gzipSync([HEADER, ...lines, ""].join("\n"));
      await putFile(workspace.raw, "cut.csv.gz", whole.subarray(0, Math.floor(whole.length * share)));
      await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/cut.csv.gz"]);
    },
  );

  it("with a Parquet file that was cut stops the run and names the file", async () => {
    const workspace = await goodWorkspace();
    const whole = await getFile(workspace.raw, "part.parquet");
    await putFile(workspace.raw, "cut.parquet", whole.subarray(0, 200));
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/cut.parquet"]);
  });

  it("with a Parquet file with broken pages stops the run and names the file", async () => {
    const workspace = await goodWorkspace();
    const bytes = await getFile(workspace.raw, "part.parquet");
    bytes.fill(0xff, 4, 60);
    await putFile(workspace.raw, "broken.parquet", bytes);
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/broken.parquet"]);
  });

  it("with a Parquet column with a byte order mark in its name lacks the column", async () => {
    const workspace = await goodWorkspace();
    const select =
      'SELECT 1 AS "\ufefftimestamp", 1 AS country_code, 1 AS last_order_ts, 1 AS first_order_ts';
    await putParquet(workspace.raw, "marked.parquet", `${select}, 1 AS total_orders, 1 AS voucher_amount`);
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", [
      "vouchers/marked.parquet: lacks timestamp; it has",
    ]);
  });

  it("with a hostile file name has it on one line of the message", async () => {
    const workspace = await goodWorkspace();
    await putFile(workspace.raw, 'it\'s; a\n"bad" %20 🙂.csv', "a,b\n");
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ['it\'s; a\\n"bad" %20 🙂.csv: lacks timestamp']);
  });
});

describe("files in which a column has different types", () => {
  const fixed =
    "'2020-05-01' AS timestamp, 'Peru' AS country_code, NULL AS first_order_ts, 2640 AS voucher_amount";
  const orders = [
    "7::BIGINT",
    "7::INTEGER",
    "4.5::DOUBLE",
    "4.5::FLOAT",
    "4.5::DECIMAL(4, 2)",
    "'4.5'",
    "9999999999::BIGINT",
  ];
  const moments = [
    "DATE '2020-04-20'",
    "TIMESTAMP '2020-04-20 13:00:00.123456'",
    "TIMESTAMPTZ '2020-04-20 00:30:00+02:00'",
    "'2020-04-20 00:30:00+02:00'",
    "TIMESTAMP_NS '2020-04-20 13:00:00.123456789'",
  ];
  const read: Record<string, string> = {
    "DATE '2020-04-20'": "2020-04-20 00:00:00",
    "TIMESTAMP '2020-04-20 13:00:00.123456'": "2020-04-20 13:00:00.123456",
    "TIMESTAMPTZ '2020-04-20 00:30:00+02:00'": "2020-04-19 22:30:00",
    "'2020-04-20 00:30:00+02:00'": "2020-04-19 22:30:00",
    "TIMESTAMP_NS '2020-04-20 13:00:00.123456789'": "2020-04-20 13:00:00.123456",
  };

  it("have each value in the type of its own file, whichever file is first", async () => {
    const { settings } = await makeWorkspace({ maxRejectedShare: "1" });
    const values = [...orders, ...orders.toReversed()];
    for (const [index, value] of values.entries()) {
      const select = `SELECT ${fixed}, '2020-04-20' AS last_order_ts, ${value} AS total_orders`;
      await putParquet(settings.zones.raw, `vouchers/${10 + index}.parquet`, select);
    }
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toMatchObject([{ rejected: "10", curated: "4" }]);
    const rejected = await readPartition(settings, "curated.vouchers_rejected");
    expect(new Set(rejected.map(({ total_orders }) => total_orders))).toEqual(
      new Set(["4.5", "4.50", "9999999999"]),
    );
  });

  it("have each moment as in its own file, whichever file is first", async () => {
    for (const order of [moments, moments.toReversed()]) {
      const { settings } = await makeWorkspace();
      for (const [index, value] of order.entries()) {
        const select = `SELECT ${fixed}, ${value} AS last_order_ts, ${index} AS total_orders`;
        await putParquet(settings.zones.raw, `vouchers/${index}.parquet`, select);
      }
      await run(settings);
      const rows = await readPartition(settings, "curated.vouchers");
      expect(
        Object.fromEntries(rows.map(({ total_orders, last_order_ts }) => [total_orders, last_order_ts])),
      ).toEqual(Object.fromEntries(order.map((value, index) => [index, read[value]])));
    }
  });

  it("may differ in columns that no model reads", async () => {
    const { settings } = await makeWorkspace();
    for (const [index, value] of ["1", "'text'", "[1]", "{a: 1}", "NULL"].entries()) {
      const select = `SELECT ${fixed}, '2020-04-20' AS last_order_ts, 7 AS total_orders, ${value} AS extra`;
      await putParquet(settings.zones.raw, `vouchers/${index}.parquet`, select);
    }
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toMatchObject([{ curated: "5" }]);
  });
});

describe("moments in numbers that the engine converts only partly", () => {
  const LOWEST = "-9223372036854775808";

  /** Numbers of a Parquet file's last orders, and one voucher for each. */
  const vouchersBy = (numbers: readonly string[], make: "make_timestamp" | "make_timestamptz") =>
    `SELECT '2020-05-01' AS timestamp, 'Peru' AS country_code, ${make}(CAST(n AS BIGINT)) AS last_order_ts,
       ${make}(CAST(n AS BIGINT)) AS first_order_ts, 7 AS total_orders, amount AS voucher_amount
     FROM (VALUES ${numbers.map((number, index) => `(${number}, ${String(index + 1)})`).join(", ")}) v(n, amount)`;

  /** The unit in the footer: DuckDB itself writes what it can read. */
  async function putMoments(raw: string, name: string, select: string, unit: "MILLIS" | "NANOS") {
    await putParquet(raw, name, select);
    const text = (await getFile(raw, name)).toString("latin1");
    const unitOf = { MILLIS: "\x1c\x1c\0\0", NANOS: "\x1c\x3c\0\0" };
    await putFile(raw, name, Buffer.from(text.replaceAll("\x1c\x2c\0\0", unitOf[unit]), "latin1"));
  }

  it("have their exact values, or are invalid, in run, inspect, replay and backfill", async () => {
    const { settings, environment } = await makeWorkspace();
    const { raw } = settings.zones;
    const milliseconds = ["1587340800000", "-1", "9000000000000000000", LOWEST];
    const nanoseconds = ["1587340800000000000", "-1", LOWEST];
    await putMoments(raw, "vouchers/a [1].parquet", vouchersBy(milliseconds, "make_timestamp"), "MILLIS");
    await putMoments(raw, "vouchers/b.parquet", vouchersBy(nanoseconds, "make_timestamptz"), "NANOS");
    const ran = await pipeline(["run", "-e", EXECUTION_DATE, "--json"], environment);
    expect(ran).toMatchObject({ code: 0 });
    const curated = [
      ["1969-12-31 23:59:59.999", 2],
      ["1969-12-31 23:59:59.999999", 2],
      ["2020-04-20 00:00:00", 1],
      ["2020-04-20 00:00:00", 1],
    ];
    const rows = await readPartition(settings, "curated.vouchers");
    expect(
      rows.map((row) => [
        row["last_order_ts"],
        row["voucher_amount"],
        row["first_order_ts"] === row["last_order_ts"],
      ]),
    ).toEqual(curated.map((row) => [...row, true]));
    const rejected = await readPartition(settings, "curated.vouchers_rejected");
    expect(rejected.map((row) => [row["last_order_ts"], row["reject_reasons"], row["source_file"]])).toEqual([
      [LOWEST, ["last_order_ts_invalid"], "vouchers/b.parquet"],
      [LOWEST, ["last_order_ts_invalid"], "vouchers/a [1].parquet"],
      ["9000000000000000000", ["last_order_ts_invalid"], "vouchers/a [1].parquet"],
    ]);
    const { run_id } = JSON.parse(ran.stdout) as RunReport;
    expect(await pipeline(["replay", run_id], environment)).toMatchObject({ code: 0 });
    const inspected = await pipeline(["inspect", "--json"], environment);
    const { files } = JSON.parse(inspected.stdout) as InspectionReport;
    expect(
      files.map(({ contents, faults }) => [contents?.["rows_read"], contents?.["rejected"], faults]),
    ).toEqual([
      ["4", "2", []],
      ["3", "1", []],
    ]);
    expect(files[0]?.columns).toContainEqual({ name: "last_order_ts", type: "TIMESTAMP" });
    const backfill = ["backfill", "--from", "2020-05-29", "--to", "2020-05-30"];
    expect(await pipeline(backfill, environment)).toMatchObject({ code: 0 });
    expect(await readPartition(settings, "curated.vouchers", "2020-05-30")).toHaveLength(4);
    expect(await readdir(settings.duckdb.tempDirectory)).toEqual([]);
  });
});

describe("moments in columns that no model reads", () => {
  const fixed =
    "'2020-05-01' AS timestamp, 'Peru' AS country_code, '2020-04-20' AS last_order_ts, NULL AS first_order_ts, 7 AS total_orders";
  const LOWEST = "make_timestamp(-9223372036854775808)";

  it.each([
    ["beside the needed ones", `${LOWEST} AS updated_at`],
    ["in a struct", `{ 'at': ${LOWEST} } AS note`],
    ["in a list", `[${LOWEST}] AS notes`],
    ["under a name that differs by its case", `${LOWEST} AS "TIMESTAMQ"`],
  ])("stop nothing %s", async (_where, column) => {
    const { settings } = await makeWorkspace();
    const { raw } = settings.zones;
    await putParquet(raw, "vouchers/a.parquet", `SELECT ${fixed}, 2640 AS voucher_amount, ${column}`);
    const text = (await getFile(raw, "vouchers/a.parquet")).toString("latin1");
    const changed = text.replaceAll("\x1c\x2c\0\0", "\x1c\x1c\0\0").replaceAll("TIMESTAMQ", "TIMESTAMP");
    await putFile(raw, "vouchers/a.parquet", Buffer.from(changed, "latin1"));
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toMatchObject([{ rows_read: "1", curated: "1" }]);
  });

  it("do not hide the others from the check, whatever their names are", async () => {
    const { settings } = await makeWorkspace();
    const { raw } = settings.zones;
    const moments = "make_timestamptz(-1) AS last_order_ts, 1 AS filename, 2 AS source_file, 3 AS raw_file";
    const select = `SELECT ${fixed.replace("'2020-04-20' AS last_order_ts, ", "")}, 2640 AS voucher_amount, ${moments}`;
    await putParquet(raw, "vouchers/a.parquet", select);
    const text = (await getFile(raw, "vouchers/a.parquet")).toString("latin1");
    const changed = text.replaceAll("\x1c\x2c\0\0", "\x1c\x3c\0\0");
    await putFile(raw, "vouchers/a.parquet", Buffer.from(changed, "latin1"));
    await run(settings);
    const [row] = await readPartition(settings, "curated.vouchers");
    expect(row).toMatchObject({ last_order_ts: "1969-12-31 23:59:59.999999" });
  });
});

describe("raw files that are unusual, but valid", () => {
  it.each<[string, string | Buffer]>([
    ["a.csv", `\ufeff${HEADER}\r\n${LINE}\r\n${LINE}\r\n`],
    ["b.csv", `${HEADER}\r${LINE}\r${LINE}\r`],
    ["c.csv.gz", gzipSync(`${HEADER}\n${LINE}\n${LINE}\n`)],
    ["back\\slash.csv", `${HEADER}\n${LINE}\n${LINE}\n`],
    ["constructor.csv", `${HEADER},constructor,constructor,toString\n${LINE},1,2,3\n${LINE},1,2,3\n`],
    [
      "d.csv",
      `note,voucher_amount,total_orders,first_order_ts,last_order_ts,country_code,timestamp,note\n` +
        `"a ""quoted""\nnote",2640,7,,2020-04-20,"Peru",2020-05-01,x\n,2640,7,,2020-04-20,Peru,2020-05-01,\n`,
    ],
    ["country_code=Chile/e.csv", `${HEADER}\n${LINE}\n${LINE}\n`],
    ["deep/er/est/it's; 100% [a]? *🙂.csv", `${HEADER}\n${LINE}\n${LINE}\n`],
  ])("%s are read", async (name, content) => {
    const { settings } = await makeWorkspace();
    await putFile(settings.zones.raw, `vouchers/${name}`, content);
    await run(settings);
    expect(
      await readTable(settings, "SELECT country_code, voucher_amount FROM voucher_frequent_most_used"),
    ).toEqual([{ country_code: "Peru", voucher_amount: 2640 }]);
    const [used] = await readTable(settings, "SELECT segment_assignments FROM voucher_amount_usage");
    expect(used).toEqual({ segment_assignments: 2 });
  });

  it("of more than 8 MB with line breaks in quotes are read, and the message names a ragged row in one", async () => {
    const { settings } = await makeWorkspace();
    const { raw } = settings.zones;
    const rows = 30_000;
    // Quoted lines look like rows to a reader that begins between them.
    const note = (end: string) => `"${[LINE, "", 'a ""quote"" and more', LINE, "x".repeat(150)].join(end)}"`;
    const csvOf = (end: string) =>
      [`note,${HEADER}`, ...Array.from({ length: rows }, () => `${note(end)},${LINE}`), ""].join(end);
    const texts = { "lf.csv": csvOf("\n"), "crlf.csv": csvOf("\r\n"), "cr.csv": csvOf("\r") };
    for (const [name, text] of Object.entries(texts)) {
      expect(text.length).toBeGreaterThan(8_000_000);
      await putFile(raw, `vouchers/${name}`, text);
    }
    await putFile(raw, "vouchers/packed.csv.gz", gzipSync(texts["lf.csv"], { level: 1 }));
    const { measures } = await run(settings);
    const read = String(4 * rows);
    expect(measures["measures.row_accounting"]).toMatchObject([{ rows_read: read, curated: read }]);
    await putFile(raw, "vouchers/ragged.csv", `${texts["lf.csv"]}x,${LINE},\n`);
    await expect(run(settings)).rejects.toMatchObject({
      message: expect.stringContaining("vouchers/ragged.csv: line 150002 has 8 fields, but the header has 7"),
    });
  });

  it("of different types are read together", async () => {
    const { settings } = await makeWorkspace();
    const raw = `${settings.zones.raw}/vouchers`;
    const text =
      "'2020-05-01' AS timestamp, 'Peru' AS country_code, '2020-04-20' AS last_order_ts, NULL AS first_order_ts";
    const typed =
      "TIMESTAMPTZ '2020-05-01 02:00:00+02:00' AS timestamp, 'Peru' AS country_code, DATE '2020-04-20' AS last_order_ts, TIMESTAMP_NS '2019-01-01' AS first_order_ts";
    await putParquet(raw, "1.parquet", `SELECT ${text}, '7' AS total_orders, '2640.0' AS voucher_amount`);
    await putParquet(
      raw,
      "2.parquet.gzip",
      `SELECT ${typed}, 7::UTINYINT AS total_orders, 2640::FLOAT AS voucher_amount`,
    );
    await putParquet(
      raw,
      "3.parquet",
      `SELECT ${typed}, 7::DECIMAL(10,2) AS total_orders, 2640::HUGEINT AS voucher_amount`,
    );
    await putParquet(
      raw,
      "4.parquet",
      `SELECT ${text}, 7::DOUBLE AS total_orders, [2640] AS voucher_amount, 1 AS filename, 2 AS file_row_number, 3 AS "source_file", 4 AS "Source_File_"`,
    );
    await putParquet(
      raw,
      "5.parquet",
      `SELECT 'wrong' AS "TIMESTAMQ", ${text}, '7'::BLOB AS total_orders, 2640 AS voucher_amount`,
    );
    // DuckDB writes no two columns that differ by case alone. Other writers do.
    const bytes = (await getFile(raw, "5.parquet")).toString("latin1");
    await putFile(raw, "5.parquet", Buffer.from(bytes.replaceAll("TIMESTAMQ", "TIMESTAMP"), "latin1"));
    await putParquet(
      raw,
      "6.parquet",
      `SELECT {a: 1, b: {c: 2}} AS extra, ${text}, true AS total_orders, 2640 AS voucher_amount`,
    );
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toEqual([
      { rows_read: "6", rejected: "2", out_of_scope: "0", curated: "4" },
    ]);
    expect(measures["measures.rejected_by_reason"]).toEqual([
      { reject_reason: "total_orders_invalid", rejected: "1" },
      { reject_reason: "voucher_amount_invalid", rejected: "1" },
    ]);
  });

  it("name the file of each rejected row", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(5, voucher()));
    await putVouchers(
      settings.zones.raw,
      [voucher({ total_orders: "" })],
      "vouchers/country_code=Chile/it's.parquet",
    );
    await putFile(settings.zones.raw, "vouchers/late.csv", `${HEADER}\n${LINE.replace("7", " ")}\n`);
    await run(settings);
    const rows = await readPartition(settings, "curated.vouchers_rejected");
    expect(rows.map(({ source_file, total_orders }) => [source_file, total_orders]).sort()).toEqual([
      ["vouchers/country_code=Chile/it's.parquet", ""],
      ["vouchers/late.csv", " "],
    ]);
  });
});
