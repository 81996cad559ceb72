import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { readConsumption, readTable } from "../consumption/reading.js";
import { query, writeParquet } from "../duckdb.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { fingerprint, makeWorkspace, PROJECT, type Workspace } from "../workspace.js";
import { EXECUTION_DATE, readPartition, run, runOver } from "./running.js";

const HEADER = "timestamp,country_code,last_order_ts,first_order_ts,total_orders,voucher_amount";
const LINE = "2020-05-01,Peru,2020-04-20,2019-01-01,7,2640";

/** What readers can see, in the zones and in the database. */
async function visible({ settings }: Workspace) {
  return {
    curated: await fingerprint(settings.zones.curated),
    provision: await fingerprint(settings.zones.provision),
    consumption: readConsumption(settings),
  };
}

/** A workspace with a good publication, into whose raw zone the test then puts something bad. */
async function goodWorkspace() {
  const workspace = await runOver(times(3, voucher()));
  return {
    ...workspace,
    raw: path.join(workspace.settings.zones.raw, "vouchers"),
    before: await visible(workspace),
  };
}

/** Expects a run to fail with a code and all of some words, and everything that readers see to be as it was. */
async function expectFailure(
  workspace: Awaited<ReturnType<typeof goodWorkspace>>,
  code: string,
  words: readonly string[],
  settings = workspace.settings,
) {
  const failure: unknown = await run(settings).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "PipelineError", code });
  for (const word of words) expect((failure as Error).message).toContain(word);
  expect(await visible(workspace)).toEqual(workspace.before);
  return (failure as Error).message;
}

describe("a raw zone", () => {
  it("without files stops the run, and the message says where files belong", async () => {
    const workspace = await goodWorkspace();
    await rm(workspace.raw, { recursive: true });
    await mkdir(workspace.raw);
    await writeFile(path.join(workspace.raw, "README.txt"), "no vouchers");
    await writeFile(path.join(workspace.raw, ".hidden.csv"), "no vouchers");
    await writeFile(path.join(workspace.raw, "_part.parquet"), "no vouchers");
    await expectFailure(workspace, "RAW_ZONE_EMPTY", [workspace.raw, "RAW_ZONE"]);
  });

  it("with several faults has all of them named", async () => {
    const workspace = await goodWorkspace();
    await writeFile(path.join(workspace.raw, "garbage.parquet"), "PAR1 garbage PAR1");
    await writeFile(path.join(workspace.raw, "empty.parquet"), "");
    await writeFile(path.join(workspace.raw, "empty.csv"), "");
    await writeFile(path.join(workspace.raw, "poor.csv"), "timestamp,country_code\n1,2\n");
    await writeParquet(path.join(workspace.raw, "poor.parquet"), "SELECT 1 AS country_code, 2 AS Timestamp");
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", [
      "vouchers/garbage.parquet",
      "vouchers/empty.parquet",
      "vouchers/empty.csv: lacks timestamp, country_code",
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
    ["encoding of two bytes", Buffer.from(`\ufeff${HEADER}\n${LINE}\n`, "utf16le")],
  ])("with a CSV that has a %s stops the run and names the file", async (_fault, content) => {
    const workspace = await goodWorkspace();
    await writeFile(path.join(workspace.raw, "faulty.csv"), content);
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/faulty.csv"]);
    expect(message).not.toContain("part.parquet");
  });

  it.each([0.3, 0.7, 0.95])(
    "with a gzip that was cut at %d of its length stops the run and names the file",
    async (share) => {
      const workspace = await goodWorkspace();
      const lines = Array.from({ length: 5000 }, (_, index) => LINE.replace("7", String(index)));
      const whole = gzipSync([HEADER, ...lines, ""].join("\n"));
      await writeFile(
        path.join(workspace.raw, "cut.csv.gz"),
        whole.subarray(0, Math.floor(whole.length * share)),
      );
      await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/cut.csv.gz"]);
    },
  );

  it("with a Parquet file that was cut stops the run and names the file", async () => {
    const workspace = await goodWorkspace();
    const file = path.join(workspace.raw, "cut.parquet");
    await copyFile(path.join(workspace.raw, "part.parquet"), file);
    await truncate(file, 200);
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/cut.parquet"]);
  });

  it("with a Parquet file whose pages are broken stops the run and names the file", async () => {
    const workspace = await goodWorkspace();
    const file = path.join(workspace.raw, "broken.parquet");
    await copyFile(path.join(workspace.raw, "part.parquet"), file);
    const bytes = await readFile(file);
    bytes.fill(0xff, 4, 60);
    await writeFile(file, bytes);
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/broken.parquet"]);
  });

  it("with a path that the engine cannot be told has it named", async () => {
    const workspace = await goodWorkspace();
    await writeFile(path.join(workspace.raw, "a\\*.csv"), `${HEADER}\n${LINE}\n`);
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/a\\*.csv: its path has a backslash"]);
  });

  it("with a link that leads nowhere, or a pipe, has it named, unless it is no raw file by its name", async () => {
    const workspace = await goodWorkspace();
    for (const name of ["lost.csv", "README"]) await symlink("/no/such/file", path.join(workspace.raw, name));
    await symlink("loop.parquet", path.join(workspace.raw, "loop.parquet"));
    execFileSync("mkfifo", [path.join(workspace.raw, "pipe.csv")]);
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", [
      "vouchers/lost.csv: it is a link that leads nowhere",
      "vouchers/loop.parquet: it is a link that leads nowhere",
      "vouchers/pipe.csv: it is no regular file",
    ]);
    expect(message).not.toContain("README");
  });

  it("with a hostile file name has it named on one line", async () => {
    const workspace = await goodWorkspace();
    await writeFile(path.join(workspace.raw, 'it\'s; a\n"bad" %20 🙂.csv'), "a,b\n");
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ['it\'s; a\\n"bad" %20 🙂.csv: lacks timestamp']);
  });
});

describe("the audits", () => {
  it("stop a run without curated rows", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, times(4, voucher({ timestamp: "2021-01-01" })));
    await expectFailure(workspace, "AUDIT_FAILED", ["curated.vouchers", "not_empty"]);
  });

  it("stop a run over files without rows", async () => {
    const workspace = await goodWorkspace();
    await rm(path.join(workspace.raw, "part.parquet"));
    await writeFile(path.join(workspace.raw, "none.csv"), `${HEADER}\n`);
    await expectFailure(workspace, "AUDIT_FAILED", ["not_empty"]);
  });

  it("stop a run in which more than the allowed share is rejected, and show the share", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [
      ...times(2, voucher()),
      ...times(3, voucher({ voucher_amount: "free" })),
    ]);
    await expectFailure(workspace, "AUDIT_FAILED", [
      "rejected_share_is_allowed",
      "MAX_REJECTED_SHARE",
      "0.6",
    ]);
  });

  it("record the failure with its code and message", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ timestamp: "2021-01-01" })]);
    await expectFailure(workspace, "AUDIT_FAILED", []);
    const [row] = readTable(
      workspace.settings,
      "SELECT * FROM pipeline_runs ORDER BY started_at DESC LIMIT 1",
    );
    expect(row).toMatchObject({
      outcome: "failed",
      error_code: "AUDIT_FAILED",
      error_message: expect.stringContaining("not_empty"),
    });
  });
});

describe("a zone", () => {
  it("that is no folder stops the run, and the message names it", async () => {
    const workspace = await goodWorkspace();
    const file = path.join(workspace.folder, "file");
    await writeFile(file, "");
    const settings = { ...workspace.settings, zones: { ...workspace.settings.zones, provision: file } };
    await expectFailure(workspace, "ZONE_NOT_USABLE", [file], settings);
  });

  (existsSync("/proc") ? it : it.skip)("in which nothing can be made stops the run", async () => {
    const workspace = await goodWorkspace();
    const settings = {
      ...workspace.settings,
      zones: { ...workspace.settings.zones, curated: "/proc/curated" },
    };
    await expectFailure(workspace, "ZONE_NOT_USABLE", ["/proc/curated"], settings);
  });

  it("gets its old files back where the last of several commits fails", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ voucher_amount: "1" })]);
    // A file where the folder of the last table would be: everything else is committed before.
    const table = path.join(workspace.settings.zones.provision, "voucher_recency_most_used");
    await rm(table, { recursive: true });
    await writeFile(table, "in the way");
    await expectFailure({ ...workspace, before: await visible(workspace) }, "ZONE_NOT_USABLE", ["provision"]);
  });
});

describe("zones", () => {
  it("that are the same folder are refused", async () => {
    const workspace = await goodWorkspace();
    const { zones } = workspace.settings;
    const settings = { ...workspace.settings, zones: { ...zones, provision: `${zones.curated}/../curated` } };
    await expectFailure(workspace, "INVALID_SETTINGS", [zones.curated], settings);
  });

  it("that lie among the raw files are refused", async () => {
    const workspace = await goodWorkspace();
    const { zones } = workspace.settings;
    const settings = { ...workspace.settings, zones: { ...zones, curated: `${zones.raw}/vouchers/curated` } };
    await expectFailure(workspace, "INVALID_SETTINGS", ["lies among the raw files"], settings);
  });
});

describe("a failed first run", () => {
  it("leaves no folder that was not there", async () => {
    const { settings, folder } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher({ timestamp: "2021-01-01" })]);
    const zones = {
      ...settings.zones,
      curated: path.join(folder, "a/b/curated"),
      provision: path.join(folder, "a/provision"),
    };
    await expect(run({ ...settings, zones })).rejects.toMatchObject({ code: "AUDIT_FAILED" });
    expect(await fingerprint(path.join(folder, "a"))).toEqual({});
    expect(existsSync(path.join(folder, "a"))).toBe(false);
  });
});

describe("a partition at rest that is broken", () => {
  it("is named by the stage that reads it, with the way to make it anew", async () => {
    const workspace = await goodWorkspace();
    const { settings } = workspace;
    const curated = path.join(
      settings.zones.curated,
      "vouchers/execution_date=2020-05-29T000000/data.parquet",
    );
    await writeFile(curated, "broken");
    await expect(run(settings, EXECUTION_DATE, ["aggregate"])).rejects.toMatchObject({
      code: "PARTITION_MISSING",
      message: expect.stringContaining(`${curated} cannot be read`),
    });
    const provision = path.join(
      settings.zones.provision,
      "voucher_amount_usage/execution_date=2020-05-29T000000/data.parquet",
    );
    await writeFile(provision, "broken");
    await expect(run(settings, EXECUTION_DATE, ["publish"])).rejects.toMatchObject({
      code: "PARTITION_MISSING",
      message: expect.stringContaining("pipeline aggregate -e"),
    });
  });
});

describe("the consumption database", () => {
  it("that is none stops the run before it does anything", async () => {
    const { settings, folder } = await makeWorkspace();
    const file = path.join(folder, "notes.txt");
    await writeFile(file, "this is no database, but it is long enough to look like one".repeat(40));
    await putVouchers(settings.zones.raw, [voucher()]);
    await expect(run({ ...settings, consumptionUrl: `sqlite:${file}` })).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining(file),
    });
    expect(await fingerprint(settings.zones.curated)).toEqual({});
  });

  it.each<[string, (folder: string) => string]>([
    ["a folder", (folder) => folder],
    ["in a folder that is a file", (folder) => path.join(folder, "file/c.db")],
  ])("that is %s is refused, and the message says which setting it is", async (_fault, fileOf) => {
    const { settings, folder } = await makeWorkspace();
    await writeFile(path.join(folder, "file"), "");
    await putVouchers(settings.zones.raw, [voucher()]);
    await expect(run({ ...settings, consumptionUrl: `sqlite:${fileOf(folder)}` })).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining("CONSUMPTION_URL"),
    });
  });

  it("that another program has made tables in is refused, and left as it is", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ voucher_amount: "1" })]);
    readTable(workspace.settings, "DROP TABLE voucher_recency_most_used");
    readTable(
      workspace.settings,
      "CREATE TABLE voucher_recency_most_used (country_code, recency_segment, voucher_amount, execution_date)",
    );
    await expectFailure({ ...workspace, before: await visible(workspace) }, "CONSUMPTION_NOT_USABLE", [
      "ON CONFLICT",
    ]);
  });

  it("whose table has other columns stops the run, and gives the zones back", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ voucher_amount: "1" })]);
    readTable(workspace.settings, "ALTER TABLE voucher_recency_most_used ADD COLUMN note text");
    await expectFailure({ ...workspace, before: await visible(workspace) }, "CONSUMPTION_TABLE_DIFFERS", [
      "voucher_recency_most_used",
      "note",
    ]);
  });
});

describe("the SQL", () => {
  async function withModel(name: string, text: string) {
    const workspace = await goodWorkspace();
    const sqlDirectory = path.join(workspace.folder, "sql");
    await cp(path.join(PROJECT, "sql"), sqlDirectory, { recursive: true });
    await writeFile(path.join(sqlDirectory, "v1", name), text);
    return { workspace, settings: { ...workspace.settings, sqlDirectory } };
  }

  const header = (columns: string) =>
    `/*\ndescription: A test\ncolumns:\n${columns}\n  execution_date: { type: VARCHAR, description: The date }\n*/\n`;
  const number = "  number: { type: INTEGER, description: A number }";

  it.each([
    [
      "reads another file",
      "SELECT 1 AS number, content AS execution_date FROM read_text('/etc/hostname') ORDER BY ALL",
      "MODEL_FAILED",
    ],
    [
      "sets an option",
      "SELECT 1 AS number, current_setting('no_such') AS execution_date ORDER BY ALL",
      "MODEL_FAILED",
    ],
    [
      "gives other columns than it says",
      "SELECT 'x' AS number, {{ partition_key }} AS execution_date ORDER BY ALL",
      "AUDIT_FAILED",
    ],
    [
      "has a fault",
      "SELECT nmber AS number, {{ partition_key }} AS execution_date ORDER BY ALL",
      "MODEL_FAILED",
    ],
  ])("of a model that %s stops the run, and the message names the file", async (_fault, select, code) => {
    const { workspace, settings } = await withModel("provision/extra.sql", header(number) + select);
    await expectFailure(workspace, code, ["extra"], settings);
  });

  it("says in which line of the file the engine found the fault", async () => {
    const select = "SELECT\n  1 AS number,\n  nothing AS execution_date\nORDER BY ALL";
    const { workspace, settings } = await withModel("provision/extra.sql", header(number) + select);
    await expectFailure(workspace, "MODEL_FAILED", ["sql/v1/provision/extra.sql", "LINE 9"], settings);
  });
});

describe("two runs", () => {
  it("of the same date exclude each other, and the second is told who is at it", async () => {
    const workspace = await goodWorkspace();
    const outcomes = await Promise.allSettled([run(workspace.settings), run(workspace.settings)]);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatchObject({
      code: "LOCK_HELD",
      message: expect.stringContaining("since 20"),
    });
    expect(await visible(workspace)).toEqual(workspace.before);
  });

  it("of the same date exclude each other under other names of the same database", async () => {
    const workspace = await goodWorkspace();
    const link = path.join(workspace.folder, "link.db");
    await symlink(workspace.settings.consumptionUrl.slice("sqlite:".length), link);
    const other = { ...workspace.settings, consumptionUrl: `sqlite:${link}` };
    const outcomes = await Promise.allSettled([run(workspace.settings), run(other)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("of different dates make a database together that was not there", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const dates = ["2020-05-25", "2020-05-26", "2020-05-27", "2020-05-28", "2020-05-29"];
    await Promise.all(dates.map((date) => run(settings, date)));
    expect(readTable(settings, "SELECT execution_date FROM publications")).toHaveLength(dates.length);
  });

  it("of different dates run side by side", async () => {
    const workspace = await goodWorkspace();
    await Promise.all([run(workspace.settings, "2020-05-30"), run(workspace.settings, "2020-05-31")]);
    const dates = readTable(workspace.settings, "SELECT execution_date FROM publications ORDER BY 1");
    expect(dates).toHaveLength(3);
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

  it("have each value read in the type of its own file, whichever file is first", async () => {
    const { settings } = await makeWorkspace({ maxRejectedShare: "1" });
    const values = [...orders, ...orders.toReversed()];
    for (const [index, value] of values.entries()) {
      const select = `SELECT ${fixed}, '2020-04-20' AS last_order_ts, ${value} AS total_orders`;
      await writeParquet(path.join(settings.zones.raw, "vouchers", `${10 + index}.parquet`), select);
    }
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toMatchObject([{ rejected: "10", curated: "4" }]);
    const rejected = await readPartition(settings, "curated.vouchers_rejected");
    expect(new Set(rejected.map(({ total_orders }) => total_orders))).toEqual(
      new Set(["4.5", "4.50", "9999999999"]),
    );
  });

  it("have each moment read as its own file says it, whichever file is first", async () => {
    for (const order of [moments, moments.toReversed()]) {
      const { settings } = await makeWorkspace();
      for (const [index, value] of order.entries()) {
        const select = `SELECT ${fixed}, ${value} AS last_order_ts, ${index} AS total_orders`;
        await writeParquet(path.join(settings.zones.raw, "vouchers", `${index}.parquet`), select);
      }
      await run(settings);
      const rows = await readPartition(settings, "curated.vouchers");
      expect(
        Object.fromEntries(rows.map(({ total_orders, last_order_ts }) => [total_orders, last_order_ts])),
      ).toEqual(Object.fromEntries(order.map((value, index) => [index, read[value]])));
    }
  });

  it("may differ in columns that no one reads", async () => {
    const { settings } = await makeWorkspace();
    for (const [index, value] of ["1", "'text'", "[1]", "{a: 1}", "NULL"].entries()) {
      const select = `SELECT ${fixed}, '2020-04-20' AS last_order_ts, 7 AS total_orders, ${value} AS extra`;
      await writeParquet(path.join(settings.zones.raw, "vouchers", `${index}.parquet`), select);
    }
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toMatchObject([{ curated: "5" }]);
  });
});

describe("names that a file pattern could be", () => {
  it("are names, of files and of folders", async () => {
    const { settings, folder } = await makeWorkspace();
    const raw = path.join(folder, "raw[1]*?");
    const names = [
      "ab.csv",
      "a*.csv",
      "a?.csv",
      "[ab]b.csv",
      "**.csv",
      "d*/a.csv",
      "dx/a.csv",
      "{a,b}.csv",
      "!a.csv",
    ];
    for (const name of names) {
      const file = path.join(raw, "vouchers", name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, `${HEADER}\n${LINE}\n${LINE.replace("7", "")}\n`);
      await putVouchers(
        raw,
        [voucher(), voucher({ total_orders: "" })],
        `vouchers/${name.replace(".csv", ".parquet")}`,
      );
    }
    await writeFile(path.join(raw, "vouchers/.hidden.csv"), "not read");
    const moved = {
      ...settings,
      zones: { ...settings.zones, raw, curated: path.join(folder, "cur*ted[2]") },
    };
    const { measures } = await run(moved);
    expect(measures["measures.row_accounting"]).toEqual([
      { rows_read: "36", rejected: "18", out_of_scope: "0", curated: "18" },
    ]);
    const rejected = await query(
      `SELECT source_file FROM read_parquet('${folder}/cur[*]ted[[]2]/vouchers_rejected/*/data.parquet')`,
    );
    expect(rejected.map(({ source_file }) => source_file).sort()).toEqual(
      names.flatMap((name) => [`vouchers/${name}`, `vouchers/${name.replace(".csv", ".parquet")}`]).sort(),
    );
  });
});

describe("raw files that are unusual, and good", () => {
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
    const file = path.join(settings.zones.raw, "vouchers", name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    await run(settings);
    expect(
      readTable(settings, "SELECT country_code, voucher_amount FROM voucher_frequent_most_used"),
    ).toEqual([{ country_code: "Peru", voucher_amount: 2640 }]);
    const [used] = readTable(settings, "SELECT segment_assignments FROM voucher_amount_usage");
    expect(used).toEqual({ segment_assignments: 2 });
  });

  it("of different types are read together", async () => {
    const { settings } = await makeWorkspace();
    const raw = path.join(settings.zones.raw, "vouchers");
    const text =
      "'2020-05-01' AS timestamp, 'Peru' AS country_code, '2020-04-20' AS last_order_ts, NULL AS first_order_ts";
    const typed =
      "TIMESTAMPTZ '2020-05-01 02:00:00+02:00' AS timestamp, 'Peru' AS country_code, DATE '2020-04-20' AS last_order_ts, TIMESTAMP_NS '2019-01-01' AS first_order_ts";
    await writeParquet(
      path.join(raw, "1.parquet"),
      `SELECT ${text}, '7' AS total_orders, '2640.0' AS voucher_amount`,
    );
    await writeParquet(
      path.join(raw, "2.parquet.gzip"),
      `SELECT ${typed}, 7::UTINYINT AS total_orders, 2640::FLOAT AS voucher_amount`,
    );
    await writeParquet(
      path.join(raw, "3.parquet"),
      `SELECT ${typed}, 7::DECIMAL(10,2) AS total_orders, 2640::HUGEINT AS voucher_amount`,
    );
    await writeParquet(
      path.join(raw, "4.parquet"),
      `SELECT ${text}, 7::DOUBLE AS total_orders, [2640] AS voucher_amount, 1 AS filename, 2 AS file_row_number, 3 AS "source_file", 4 AS "Source_File_"`,
    );
    await writeParquet(
      path.join(raw, "5.parquet"),
      `SELECT 'wrong' AS "TIMESTAMQ", ${text}, '7'::BLOB AS total_orders, 2640 AS voucher_amount`,
    );
    // DuckDB writes no two columns that differ by case alone. Other writers do.
    const bytes = await readFile(path.join(raw, "5.parquet"), "latin1");
    await writeFile(path.join(raw, "5.parquet"), bytes.replaceAll("TIMESTAMQ", "TIMESTAMP"), "latin1");
    await writeParquet(
      path.join(raw, "6.parquet"),
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

  it("are found behind symbolic links", async () => {
    const { settings, folder } = await makeWorkspace();
    const elsewhere = path.join(folder, "elsewhere");
    await putVouchers(elsewhere, [voucher()]);
    await putVouchers(settings.zones.raw, [voucher()]);
    await symlink(path.join(elsewhere, "vouchers"), path.join(settings.zones.raw, "vouchers/linked"));
    const { inputs, measures } = await run(settings);
    expect(inputs.map(({ path: file }) => file)).toEqual([
      "vouchers/linked/part.parquet",
      "vouchers/part.parquet",
    ]);
    expect(measures["measures.row_accounting"]).toMatchObject([{ curated: "2" }]);
  });

  it("name the file of each rejected row", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(5, voucher()));
    await putVouchers(
      settings.zones.raw,
      [voucher({ total_orders: "" })],
      "vouchers/country_code=Chile/it's.parquet",
    );
    await mkdir(path.join(settings.zones.raw, "vouchers"), { recursive: true });
    await appendFile(
      path.join(settings.zones.raw, "vouchers/late.csv"),
      `${HEADER}\n${LINE.replace("7", " ")}\n`,
    );
    await run(settings);
    const rows = await readPartition(settings, "curated.vouchers_rejected", EXECUTION_DATE);
    expect(rows.map(({ source_file, total_orders }) => [source_file, total_orders]).sort()).toEqual([
      ["vouchers/country_code=Chile/it's.parquet", ""],
      ["vouchers/late.csv", " "],
    ]);
  });
});
