import { cp, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { examine } from "../../src/introspect/doctor/doctor.js";
import { readStatus } from "../../src/introspect/status.js";
import { RunActivity } from "../../src/run/activity.js";
import { rebuildTable, type RebuildReport, type RebuildRequest } from "../../src/run/rebuild.js";
import { restorePublication, withdrawPublication } from "../../src/run/withdraw.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { start } from "../cli/command.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { filledWorkspace } from "../run/filled-workspace.js";
import { run } from "../run/running.js";
import { SHIPPED_SQL, type Workspace } from "../workspace.js";

/** A published table with the given columns, one row for each country. */
const model = (columns: Record<string, string>, key = "[country_code]") => `/*
description: How many vouchers each country has.
key: ${key}
publish: true
columns:
  country_code: { type: VARCHAR, max_length: 64, description: Country of the customers }
${Object.keys(columns)
  .map((column) => `  ${column.replace(" ", ": { type: ")}, description: A column }`)
  .join("\n")}
  execution_date: { type: VARCHAR, max_length: 17, description: The partition }
*/
SELECT
  country_code,
  ${Object.entries(columns)
    .map(([column, sql]) => `${sql} AS ${column.split(" ", 1)[0] ?? ""},`)
    .join("\n  ")}
  {{ partition_key }} AS execution_date
FROM {{ "curated.vouchers" | ref }}
GROUP BY country_code
ORDER BY ALL
`;

const ORIGINAL = model({ "vouchers BIGINT": "count(*)" });
const RENAMED = model({ "assigned BIGINT": "count(*)" });

interface Changing extends Workspace {
  readonly change: (sql: string) => Promise<void>;
  readonly command: (...words: string[]) => ReturnType<typeof pipeline>;
  readonly rows: () => Promise<unknown[]>;
}

/** Two published dates, with the table `country_vouchers`. */
async function published(sql = ORIGINAL): Promise<Changing> {
  const workspace = await filledWorkspace(`two dates with ${sql}`, {}, async (empty) => {
    await cp(SHIPPED_SQL, path.join(empty.folder, "sql"), { recursive: true });
    const { change, settings } = changingIn(empty);
    await change(sql);
    await putVouchers(settings.zones.raw, [
      ...times(2, voucher({ country_code: "Peru" })),
      voucher({ country_code: "Chile" }),
    ]);
    for (const date of ["2020-05-28", "2020-05-29"]) await run(settings, date);
  });
  return changingIn(workspace);
}

function changingIn(workspace: Workspace): Changing {
  const sqlDirectory = path.join(workspace.folder, "sql");
  const environment = { ...workspace.environment, SQL_DIRECTORY: sqlDirectory };
  return {
    folder: workspace.folder,
    settings: { ...workspace.settings, sqlDirectory },
    environment,
    change: (text) => writeFile(path.join(sqlDirectory, "v1/provision/country_vouchers.sql"), text),
    command: (...words) => pipeline(words, environment),
    rows: () =>
      readTable(workspace.settings, "SELECT * FROM country_vouchers ORDER BY execution_date, country_code"),
  };
}

async function succeed({ command }: Pick<Changing, "command">, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(...words);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

/** Expects that `status --deep` finds every published row as it was published. */
async function expectIntact({ settings }: Changing): Promise<void> {
  const request = { from: undefined, to: undefined, maxAgeDays: undefined, deep: true, now: new Date() };
  const { deep, healthy } = await readStatus(settings, request);
  expect({ deep, healthy }).toMatchObject({ deep: expect.anything(), healthy: true });
}

function withdrawn({ settings }: Changing): Promise<unknown> {
  return withdrawPublication(settings, parseExecutionDate("2020-05-28"), "a test");
}

function restored({ settings }: Changing): Promise<unknown> {
  return restorePublication(settings, parseExecutionDate("2020-05-28"));
}

/** What doctor says, all of it. */
async function examined({ settings }: Changing): Promise<string> {
  const { checks } = await examine(() => settings, new AbortController().signal, new RunActivity());
  return checks.map(({ message }) => message).join("\n");
}

function rebuild({ settings }: Changing, options: Partial<RebuildRequest> = {}): Promise<RebuildReport> {
  const nothing = { dropOld: false, replacesVersion: false, allowsChangedRaw: false };
  const request = { table: "country_vouchers", ...nothing, ...options };
  return rebuildTable(settings, request, new AbortController().signal, new RunActivity());
}

const rowsWith = (columns: (vouchers: number) => object) =>
  ["2020-05-28T000000", "2020-05-29T000000"].flatMap((execution_date) => [
    { country_code: "Chile", ...columns(1), execution_date },
    { country_code: "Peru", ...columns(2), execution_date },
  ]);

describe("a publish alone", () => {
  it("refuses aggregates of other SQL, which would be published as those of the present SQL", async () => {
    const changing = await published();
    await changing.change(model({ "vouchers BIGINT": "count(*) + 1" }));
    const publishing = () => run(changing.settings, "2020-05-29", ["publish"]);
    await expect(publishing()).rejects.toMatchObject({
      code: "SQL_VERSION_DIFFERS",
      message: expect.stringContaining("other SQL than the present files made the aggregates of 2020-05-29"),
    });
    await run(changing.settings, "2020-05-29", ["aggregate"]);
    await publishing();
  });
});

describe("a new column of a published table", () => {
  const WIDER = model({
    "vouchers BIGINT": "count(*)",
    "customers BIGINT": "count(DISTINCT first_order_ts)",
  });

  it("comes with the next run, which says so, as plan and doctor did before", async () => {
    const changing = await published();
    await changing.change(WIDER);
    expect(await succeed(changing, "plan", "-e", "2020-05-29")).toContain("new column of country_vouchers");
    expect(await examined(changing)).toContain("column customers of country_vouchers");
    expect(await succeed(changing, "-e", "2020-05-29")).toContain(
      "The table country_vouchers has 1 new column: customers. Earlier dates have no value in it until they are backfilled.",
    );
    expect(await changing.rows()).toMatchObject([
      { country_code: "Chile", vouchers: 1, customers: null },
      { country_code: "Peru", vouchers: 2, customers: null },
      { country_code: "Chile", vouchers: 1, customers: 1 },
      { country_code: "Peru", vouchers: 2, customers: 1 },
    ]);
  });

  it("leaves what status --deep finds of earlier dates as it was, and a backfill fills it", async () => {
    const changing = await published();
    await changing.change(WIDER);
    await run(changing.settings, "2020-05-29");
    await expectIntact(changing);
    await succeed(changing, "backfill", "--from", "2020-05-28", "--to", "2020-05-28", "--only", "all");
    expect(await changing.rows()).toMatchObject(rowsWith((vouchers) => ({ vouchers, customers: 1 })));
    await expectIntact(changing);
  });
});

describe("any other change of a published table", () => {
  const TOLD = [
    "The table country_vouchers is built again, because the model has no column vouchers.",
    "0 dates came from the provision zone. 2 dates ran again.",
    "The old table is _old_country_vouchers. To remove it: npx pipeline rebuild country_vouchers --drop-old",
    "",
  ].join("\n");

  it.each([
    ["a renamed column", RENAMED, "the model has no column vouchers"],
    [
      "a type",
      model({ "vouchers DOUBLE": "CAST(count(*) AS DOUBLE)" }),
      "the type of vouchers is bigint instead of double",
    ],
    [
      "a removed column",
      model({ "customers BIGINT": "CAST(1 AS BIGINT)" }),
      "the model has no column vouchers",
    ],
    [
      "the key",
      model({ "vouchers BIGINT": "count(*)" }, "[country_code, vouchers]"),
      "the key is execution_date, country_code instead of execution_date, country_code, vouchers",
    ],
  ])("stops the run, and doctor and the message name the rebuild: %s", async (_, sql, difference) => {
    const changing = await published();
    await changing.change(sql);
    const fault: unknown = await run(changing.settings, "2020-05-29").catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "CONSUMPTION_TABLE_DIFFERS" });
    for (const told of [difference, "npx pipeline rebuild country_vouchers"])
      expect((fault as Error).message).toContain(told);
    expect(await examined(changing)).toContain("npx pipeline rebuild country_vouchers");
    expect(await changing.rows()).toEqual(rowsWith((vouchers) => ({ vouchers })));
  });

  it("is rebuilt by runs of the dates", async () => {
    const changing = await published(model({ "vouchers BIGINT": "count(*)" }, "[country_code, vouchers]"));
    await changing.change(ORIGINAL);
    expect(await rebuild(changing)).toEqual({
      table: "country_vouchers",
      differences: [
        "the key is execution_date, country_code, vouchers instead of execution_date, country_code",
      ],
      dates: ["2020-05-28", "2020-05-29"].map((date) => ({
        execution_date: `${date}T00:00:00Z`,
        rows: 2,
        from: "run",
      })),
      left_out: [],
      old_table: "_old_country_vouchers",
      blocked: null,
    });
    expect(await changing.rows()).toEqual(rowsWith((vouchers) => ({ vouchers })));
    await expectIntact(changing);
  });

  it("renews what the new SQL says of all published dates", async () => {
    const changing = await published();
    await changing.change(RENAMED);
    const { dates } = await rebuild(changing);
    expect(dates.map(({ from }) => from)).toEqual(["run", "run"]);
    expect(await changing.rows()).toEqual(rowsWith((assigned) => ({ assigned })));
    await expectIntact(changing);
    await run(changing.settings);
  });

  it("keeps the old table until --drop-old", async () => {
    const changing = await published();
    await changing.change(RENAMED);
    expect(await succeed(changing, "rebuild", "country_vouchers")).toBe(TOLD);
    const old = () =>
      readTable(
        changing.settings,
        "SELECT * FROM _old_country_vouchers ORDER BY execution_date, country_code",
      );
    expect(await old()).toEqual(rowsWith((vouchers) => ({ vouchers })));
    expect(await rebuild(changing, { dropOld: true })).toMatchObject({ differences: [], old_table: null });
    await expect(old()).rejects.toThrow(/_old_country_vouchers/);
  });

  it("keeps the rows of a withdrawn date, if its partition has the columns", async () => {
    const changing = await published(model({ "vouchers BIGINT": "count(*)" }, "[country_code, vouchers]"));
    await withdrawn(changing);
    await changing.change(ORIGINAL);
    expect(await rebuild(changing)).toMatchObject({ left_out: [] });
    await restored(changing);
    expect(await changing.rows()).toEqual(rowsWith((vouchers) => ({ vouchers })));
    await expectIntact(changing);
  });

  it("leaves a withdrawn date without rows, which cannot be restored then", async () => {
    const changing = await published();
    await withdrawn(changing);
    await changing.change(RENAMED);
    await rebuild(changing);
    await expect(restored(changing)).rejects.toThrow(
      "had 2 rows in country_vouchers, and 0 are left. Run the date again",
    );
  });

  it("does not run dates over other raw files, unless that is allowed", async () => {
    const changing = await published();
    await changing.change(RENAMED);
    await putVouchers(changing.settings.zones.raw, [voucher({ country_code: "Peru" })]);
    await expect(rebuild(changing)).rejects.toThrow(/the raw files of 2 dates changed.*--allow-changed-raw/);
    expect(await changing.rows()).toEqual(rowsWith((vouchers) => ({ vouchers })));
    await rebuild(changing, { allowsChangedRaw: true });
    expect(await changing.rows()).toHaveLength(2);
  });

  it("does not replace another version, unless that is allowed", async () => {
    const changing = await published();
    const { sqlDirectory } = changing.settings;
    await rename(path.join(sqlDirectory, "v1"), path.join(sqlDirectory, "v2"));
    await writeFile(path.join(sqlDirectory, "v2/provision/country_vouchers.sql"), RENAMED);
    const v2 = { ...changing, settings: { ...changing.settings, sqlVersion: "v2" } };
    await expect(rebuild(v2)).rejects.toThrow(/published by the SQL v1.*--replace-version/);
    await rebuild(v2, { replacesVersion: true });
    expect(await changing.rows()).toEqual(rowsWith((assigned) => ({ assigned })));
  });

  it("names a withdrawn date that has no rows in the new table", async () => {
    const changing = await published();
    await withdrawn(changing);
    await changing.change(RENAMED);
    expect(await rebuild(changing)).toMatchObject({ left_out: ["2020-05-28T00:00:00Z"] });
  });

  it("is nothing to rebuild if the table is as its model says", async () => {
    const changing = await published();
    expect(await rebuild(changing)).toMatchObject({ differences: [], dates: [], old_table: null });
    expect(await changing.rows()).toEqual(rowsWith((vouchers) => ({ vouchers })));
  });

  it("needs the name of a published table", async () => {
    const changing = await published();
    const { code, stderr } = await changing.command("rebuild", "curated_vouchers");
    expect(code).toBe(2);
    expect(stderr).toContain("publishes a table curated_vouchers; it publishes country_vouchers, ");
  });
});

describe("a rebuild", () => {
  const FAILPOINTS = [
    "rebuild: new table made",
    "rebuild: date filled",
    "rebuild: before the swap",
    "rebuild: swapped",
    "rebuild: date published",
  ];

  it.each(FAILPOINTS)("that is killed at '%s' ends the same when it runs again", async (failpoint) => {
    const changing = await published();
    await changing.change(RENAMED);
    const words = ["rebuild", "country_vouchers"];
    const killed = start(words, { ...changing.environment, TEST_FAILPOINT: failpoint });
    await killed.stoodAt(failpoint);
    killed.kill("SIGKILL");
    await killed.ended;
    expect(await rebuild(changing)).toMatchObject({ old_table: "_old_country_vouchers", blocked: null });
    expect(await changing.rows()).toEqual(rowsWith((assigned) => ({ assigned })));
    expect(await readTable(changing.settings, "SELECT * FROM _old_country_vouchers")).toHaveLength(4);
    await expectIntact(changing);
  });

  it("that runs again takes the finished dates from the provision zone", async () => {
    const changing = await published();
    await changing.change(RENAMED);
    const failpoint = "rebuild: date filled";
    const killed = start(["rebuild", "country_vouchers"], {
      ...changing.environment,
      TEST_FAILPOINT: failpoint,
    });
    await killed.stoodAt(failpoint);
    killed.kill("SIGKILL");
    await killed.ended;
    expect((await rebuild(changing)).dates.map(({ from }) => from)).toEqual(["partition", "run"]);
  });

  it("lets readers see the old table or the new one, and nothing else", async () => {
    const changing = await published();
    await changing.change(RENAMED);
    const done = new AbortController();
    const seen = new Set<string>();
    const reading = (async () => {
      while (!done.signal.aborted) {
        const rows = (await changing.rows()) as Record<string, unknown>[];
        seen.add(`${rows.length.toString()} rows with ${Object.keys(rows[0] ?? {}).join(", ")}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await rebuild(changing);
    done.abort();
    await reading;
    expect([...seen].sort()).toEqual([
      "4 rows with country_code, assigned, execution_date",
      "4 rows with country_code, vouchers, execution_date",
    ]);
  });
});
