import { execFileSync } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { putParquet, writeParquet } from "../duckdb.js";
import { expectFailure, goodWorkspace, HEADER, LINE } from "../end-to-end/failing.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { getFile, putFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";
import { Suite } from "./checking.js";
import { withOtherRowsInFooter } from "./damage.js";
import { expectContract, expectRows } from "./expecting.js";
import { textRow } from "./raw-files.js";
import { runUntilAccepted } from "./refusals.js";

const suite = new Suite("Unreadable files");

const CSV = `${HEADER}\n${LINE}\n${LINE}\n`;
const GZIP = gzipSync(CSV + `${LINE}\n`.repeat(2000));

/** CSV files that RFC 4180 or UTF-8 does not allow, or that are not what their names say. */
const UNREADABLE: Readonly<Record<string, string | Buffer>> = {
  "empty.csv": "",
  "one-byte.csv": "a",
  "blank.csv": " \n\n",
  "zeros.csv": Buffer.alloc(10_000),
  "garbage.csv": Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index * index * 31) % 251)),
  "quotes-only.csv": '"'.repeat(9999),
  "header-cut.csv": HEADER.slice(0, -1),
  "header-of-blanks.csv": `${HEADER.replaceAll(",", " , ")}\n${LINE}\n`,
  "header-in-capitals.csv": CSV.replace(HEADER, HEADER.toUpperCase()),
  "no-header.csv": `${LINE}\n${LINE}\n`,
  "tabs.csv": CSV.replaceAll(",", "\t"),
  "semicolons.csv": CSV.replaceAll(",", ";"),
  "short-row.csv": `${CSV}2020-05-01,Peru\n`,
  "long-row.csv": `${CSV}${LINE},1\n`,
  "quote-not-closed.csv": `${CSV}"${LINE}\n`,
  "quote-inside.csv": CSV.replace("Peru", 'Pe"ru'),
  "quote-doubled-outside.csv": CSV.replace("Peru", 'Pe""ru'),
  "quote-too-many.csv": CSV.replace("Peru", '"Peru""'),
  "quote-with-backslash.csv": CSV.replace("Peru", '"Pe\\"ru"'),
  "single-quotes.csv": CSV.replace("Peru", "'Pe,ru'"),
  "after-quote.csv": CSV.replace("Peru", '"Peru"x'),
  "latin-1.csv": Buffer.from(CSV.replace("Peru", "Per\u00fa"), "latin1"),
  "utf-16.csv": Buffer.from(`\ufeff${CSV}`, "utf16le"),
  "utf-16-big.csv": Buffer.from(`\ufeff${CSV}`, "utf16le").swap16(),
  "utf-16-without-mark.csv": Buffer.from(CSV, "utf16le"),
  "surrogate.csv": Buffer.from(CSV.replace("Peru", "\u00ed\u00a0\u0080"), "latin1"),
  "overlong.csv": Buffer.from(CSV.replace("Peru", "\u00c0\u00af"), "latin1"),
  "cut-character.csv": Buffer.concat([Buffer.from(CSV.replace("Peru\n", "")), Buffer.from([0xf0, 0x9f])]),
  "beyond-unicode.csv": Buffer.from(CSV.replace("Peru", "\u00f5\u0080\u0080\u0080"), "latin1"),
  "two-marks.csv": `\ufeff\ufeff${CSV}`,
  "gzip-named-plain.csv": GZIP,
  "plain-named-gzip.csv.gz": CSV,
  "empty.csv.gz": "",
  "gzip-of-nothing.csv.gz": gzipSync(""),
  "gzip-twice.csv.gz": gzipSync(GZIP),
  "gzip-header-only.csv.gz": GZIP.subarray(0, 10),
  "gzip-without-sum.csv.gz": GZIP.subarray(0, -8),
  "gzip-without-length.csv.gz": GZIP.subarray(0, -4),
  "gzip-wrong-sum.csv.gz": Buffer.concat([GZIP.subarray(0, -8), Buffer.alloc(8, 7)]),
  "gzip-second-member-cut.csv.gz": Buffer.concat([GZIP, gzipSync(`${LINE}\n`.repeat(99)).subarray(0, -9)]),
  "csv-named.parquet": CSV,
  "empty.parquet": "",
  "magic.parquet": "PAR1",
  "magic-twice.parquet": "PAR1PAR1",
  "encrypted.parquet": "PARE\u0000\u0000\u0000\u0000PARE",
  "zeros.parquet": Buffer.alloc(10_000),
  "footer-too-long.parquet": Buffer.from("PAR1\u00ff\u00ff\u00ff\u007fPAR1", "latin1"),
  "footer-of-zeros.parquet": Buffer.from(`PAR1${"\u0000".repeat(64)}\u0040\u0000\u0000\u0000PAR1`, "latin1"),
};

describe("files against the contract", () => {
  it("are all in the message and no others are, and without them the rest is read", async () => {
    const workspace = await goodWorkspace();
    const parquet = await getFile(workspace.raw, "part.parquet");
    const files: Record<string, string | Buffer> = { ...UNREADABLE, "parquet-named.csv": parquet };
    for (let cut = 1; cut < 20; cut++) {
      files[`cut-${String(cut)}.parquet`] = parquet.subarray(0, (parquet.length * cut) / 20);
      files[`cut-${String(cut)}.csv.gz`] = GZIP.subarray(0, (GZIP.length * cut) / 20);
    }
    for (const [name, content] of Object.entries(files)) await putFile(workspace.raw, name, content);
    const { report, refused } = await runUntilAccepted(workspace, Object.keys(files));
    suite.count(Object.keys(files).length, 3);
    expect([...refused].sort()).toEqual(Object.keys(files).sort());
    suite.end("refused, named", refused.length);
    const rows = times(3, { row: textRow(voucher()), file: "vouchers/part.parquet" });
    await expectRows(workspace.settings, EXECUTION_DATE, report, rows);
  });

  it("are in the message if their footer tells other rows than their row groups", async () => {
    const workspace = await goodWorkspace();
    const parquet = await getFile(workspace.raw, "part.parquet");
    await putFile(workspace.raw, "more.parquet", withOtherRowsInFooter(parquet, 3));
    const columns = HEADER.split(",").map((column) => `'' AS "${column}"`);
    await putParquet(workspace.raw, "none.parquet", `SELECT ${columns.join(", ")} LIMIT 0`);
    const none = await getFile(workspace.raw, "none.parquet");
    await putFile(workspace.raw, "some.parquet", withOtherRowsInFooter(none, 0));
    suite.count(2, 3);
    const words = ["more.parquet: ", "tells 5 rows, and its row groups have 3", "some.parquet: ", "have 0"];
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", words);
    expect(message).not.toMatch(/part\.parquet|none\.parquet/);
    suite.end("refused, named", 2);
  });

  it("are in the message if they are not files at all", async () => {
    const workspace = await goodWorkspace();
    await symlink("nowhere", path.join(workspace.raw, "nowhere.csv"));
    await symlink("itself.csv", path.join(workspace.raw, "itself.csv"));
    execFileSync("mkfifo", [path.join(workspace.raw, "pipe.csv")]);
    suite.count(3, 0);
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["nowhere.csv", "itself.csv", "pipe.csv"]);
    suite.end("refused, named", 3);
  });
});

describe("a NUL in a text", () => {
  it("makes it invalid, stays in it, and stops nothing", async () => {
    const { settings } = await makeWorkspace({ maxRejectedShare: "1" });
    const { raw } = settings.zones;
    const vouchers = [
      voucher(),
      voucher({ country_code: "Pe" }),
      voucher({ country_code: "Pe\0ru" }),
      voucher({ country_code: "\0" }),
      voucher({ timestamp: "2020-05-01\0" }),
      voucher({ last_order_ts: "2020-04-20 00:00:00\0" }),
      voucher({ first_order_ts: "\x002019-01-01" }),
      voucher({ total_orders: "7\0" }),
      voucher({ voucher_amount: "\x002640" }),
    ];
    await putVouchers(raw, vouchers);
    const lines = vouchers.map((row) => Object.values(row).join(","));
    await putFile(`${raw}/vouchers`, "nul.csv", [HEADER, ...lines].join("\n"));
    suite.count(2, 2 * vouchers.length);
    const report = await run(settings);
    await expectContract(
      settings,
      EXECUTION_DATE,
      report,
      ["vouchers/part.parquet", "vouchers/nul.csv"].flatMap((file) =>
        vouchers.map((row) => ({ row: textRow(row), file })),
      ),
    );
    suite.end("as the contract says", 2);
  });
});

describe("a raw zone of an unusual shape", () => {
  it("is read with deeply nested folders, and links in circles", async () => {
    const workspace = await goodWorkspace();
    const deep = Array.from({ length: 300 }, (_, index) => `level-${String(index)}`).join("/");
    await putFile(workspace.raw, `${deep}/deep.csv`, CSV);
    await symlink(workspace.raw, path.join(workspace.raw, "circle"));
    await symlink("..", path.join(workspace.raw, "level-0", "up"));
    const report = await run(workspace.settings);
    suite.count(2, 5);
    await expectContract(workspace.settings, EXECUTION_DATE, report, [
      ...times(3, { row: textRow(voucher()), file: "vouchers/part.parquet" }),
      ...times(2, { row: textRow(VOUCHER_OF_LINE), file: `vouchers/${deep}/deep.csv` }),
    ]);
    suite.end("as the contract says", 2);
  });

  it("is read with a folder that is named like a file, and a file without rows", async () => {
    const workspace = await goodWorkspace();
    await mkdir(path.join(workspace.raw, "folder.parquet"));
    await putFile(workspace.raw, "folder.csv/a.csv", HEADER);
    await putFile(workspace.raw, "b.csv.gz", gzipSync(`\ufeff${HEADER}\r\n`));
    await writeParquet(
      path.join(workspace.raw, "c.parquet"),
      `SELECT * FROM '${path.join(workspace.raw, "part.parquet")}' WHERE false`,
    );
    const report = await run(workspace.settings);
    suite.count(4, 3);
    const rows = times(3, { row: textRow(voucher()), file: "vouchers/part.parquet" });
    await expectContract(workspace.settings, EXECUTION_DATE, report, rows);
    suite.end("as the contract says", 4);
  });
});

/** What the line of a good CSV says. */
const VOUCHER_OF_LINE = voucher({
  timestamp: "2020-05-01",
  last_order_ts: "2020-04-20",
  first_order_ts: "2019-01-01",
});
