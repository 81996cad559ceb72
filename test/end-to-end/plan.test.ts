import { stat } from "node:fs/promises";
import path from "node:path";
import { DuckDBConnection } from "@duckdb/node-api";
import { afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { DefaultQueryCompiler, type CompiledQuery } from "kysely";
import { planOfRun, type PlannedRun } from "../../src/introspect/planned-run.js";
import type { RunReport } from "../../src/record/run-record.js";
import { withdrawPublication } from "../../src/run/withdraw.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { start } from "../cli/command.js";
import { pipeline } from "../cli/warm-command.js";
import { putVouchers, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { hashesOf, putFile } from "../storage.js";
import { fingerprint, makeWorkspace, type Workspace } from "../workspace.js";
import { HEADER, LINE } from "./failing.js";

function plan(settings: Settings, executionDate = EXECUTION_DATE): Promise<PlannedRun> {
  const { signal } = new AbortController();
  return planOfRun(settings, parseExecutionDate(executionDate), signal, () => undefined);
}

/** A workspace with raw files in two groups, in which nothing has run. */
async function untouched(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, [voucher(), voucher({ country_code: "Chile" })]);
  await putFile(workspace.settings.zones.raw, "vouchers/late.csv", `${HEADER}\n${LINE}\n`);
  return workspace;
}

/** Everything that there is of a workspace, with the time of its last change where it is on this machine. */
async function allOf({ folder, settings: { zones } }: Workspace): Promise<object> {
  const local = await fingerprint(folder);
  const times = Object.keys(local).map(async (name) => [
    name,
    (await stat(path.join(folder, name), { bigint: true })).mtimeNs,
  ]);
  const zonesNow = await Promise.all([zones.raw, zones.curated, zones.provision].map(hashesOf));
  return { local, times: await Promise.all(times), zonesNow };
}

/** Takes down what is said to DuckDB and what Kysely makes for the database, while both go on as they are. */
function listen(): () => { duckdb: Set<string>; database: Set<string> } {
  const run = jest.spyOn(DuckDBConnection.prototype, "run");
  const read = jest.spyOn(DuckDBConnection.prototype, "runAndReadAll");
  const streamed = jest.spyOn(DuckDBConnection.prototype, "stream");
  const compiled = jest.spyOn(DefaultQueryCompiler.prototype, "compileQuery");
  return () => ({
    duckdb: new Set(
      [...run.mock.calls, ...read.mock.calls, ...streamed.mock.calls].map(([sql]) => withoutFolder(sql)),
    ),
    database: new Set(compiled.mock.results.map(({ value }) => withOneRow((value as CompiledQuery).sql))),
  });
}

/** A statement that names a file of the temporary folder, as a plan says it: each run has a folder of its own. */
function withoutFolder(sql: string): string {
  return sql.replaceAll(/'[^']*\/(raw\.\w+\.parquet)'/g, "'<temporary folder>/$1'");
}

/** A statement that inserts or removes many rows as one that does so with one. */
function withOneRow(sql: string): string {
  return sql
    .replace(/(\(\?(?:, \?)*\))(?:, \1)+/g, "$1")
    .replace(/^(delete from .* where) \((\(.*?\))(?: or \2)+\)$/, "$1 $2");
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("pipeline plan", () => {
  let workspace: Workspace;
  let planned: PlannedRun;
  beforeAll(async () => {
    workspace = await untouched();
    planned = await plan(workspace.settings);
  });

  it("names the raw files in their groups, the new partitions, and the missing tables", () => {
    const { zones } = workspace.settings;
    expect(planned).toMatchObject({
      execution_date: "2020-05-29T00:00:00Z",
      lock: { is_held: false, holder: null },
      raw: [
        {
          model: "raw.vouchers",
          groups: [
            { format: "csv", files: [{ path: "vouchers/late.csv", bytes: HEADER.length + LINE.length + 2 }] },
            { format: "parquet", files: [{ path: "vouchers/part.parquet" }] },
          ],
        },
      ],
      publish: { migrations: expect.arrayContaining(["0001_publications_and_runs"]) },
    });
    expect(planned.partitions).toContainEqual({
      model: "curated.vouchers",
      uri: `${zones.curated}/vouchers/execution_date=2020-05-29T000000/data.parquet`,
      staged: `${zones.curated}/_staging/2020-05-29T000000-<run>/vouchers/execution_date=2020-05-29T000000/data.parquet`,
      replaces: null,
    });
    expect(planned.publish.new_tables.map(({ table }) => table)).toContain("voucher_frequent_most_used");
  });

  it("creates nothing, if there are only raw files", async () => {
    const before = await allOf(workspace);
    await plan(workspace.settings);
    const { code } = await pipeline(["plan", "-e", EXECUTION_DATE], workspace.environment);
    expect(code).toBe(0);
    expect(await allOf(workspace)).toEqual(before);
  });

  it("has the same statements as the next run, for DuckDB and for the database", async () => {
    const { settings } = await untouched();
    const before = await plan(settings);
    const hear = listen();
    const { rendered_sql_hash, run_id } = await run(settings);
    // Rows that are gone, and a publication that is changed, and one that was withdrawn.
    await putVouchers(settings.zones.raw, [voucher({ voucher_amount: "70" })]);
    await run(settings);
    await withdrawPublication(settings, parseExecutionDate(EXECUTION_DATE), "for the test");
    await putVouchers(settings.zones.raw, [voucher({ voucher_amount: "80" })]);
    await run(settings);
    const heard = hear();
    expect(before.rendered_sql_hash).toBe(rendered_sql_hash);
    const inRun = (sql: string) => sql.replaceAll("2020-05-29T000000-<run>", run_id);
    const steps = before.steps.flatMap(({ statements }) => statements.map(({ sql }) => inRun(sql)));
    const toDuckDb = [...steps, ...before.publish.reads.map(({ sql }) => sql)];
    expect(toDuckDb.filter((sql) => !heard.duckdb.has(sql))).toEqual([]);
    // Of the later runs the raw model is another one, and so is what names their staging.
    const ofModels = [...heard.duckdb].filter((sql) => /^(CREATE OR REPLACE (VIEW|TABLE)|COPY) /.test(sql));
    const ofFirstRun = ofModels.filter((sql) => sql.includes(run_id) || sql.includes("TABLE measures."));
    expect(ofFirstRun.filter((sql) => !toDuckDb.includes(sql))).toEqual([]);
    // A publish of so few rows has no second page; test/end-to-end/many-rows.test.ts has.
    const statements = before.publish.statements.filter(({ when }) => when !== "for each further page");
    const toDatabase = [...before.publish.new_tables, ...statements].map(({ sql }) => sql);
    expect(toDatabase.filter((sql) => !heard.database.has(sql))).toEqual([]);
  });

  it("shows the replaced partitions, that the database is ready, and changes nothing", async () => {
    const made = await untouched();
    // In a process of its own, with which every file is closed.
    const { stdout } = await start(["-e", EXECUTION_DATE, "--json"], made.environment).ended;
    const { tables } = JSON.parse(stdout) as RunReport;
    const before = await allOf(made);
    const again = await plan(made.settings);
    expect(again.partitions.map(({ model, replaces }) => [model, replaces?.bytes])).toEqual(
      tables.map(({ model, bytes }) => [model, bytes]),
    );
    expect(again.publish).toMatchObject({ migrations: [], new_tables: [] });
    expect(await allOf(made)).toEqual(before);
  });

  it("names the holder of the lock", async () => {
    const { settings, environment } = await untouched();
    const other = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: "start recorded" });
    await other.stoodAt("start recorded");
    try {
      expect(await plan(settings)).toMatchObject({
        lock: { is_held: true, holder: { run_id: expect.stringMatching(/^2020-05-29T000000-/) } },
      });
      expect((await plan(settings, "2020-05-28")).lock.is_held).toBe(false);
    } finally {
      other.kill("SIGKILL");
      await other.ended;
    }
  });

  it("prints an overview and then the SQL of each file, or all of it as JSON, and never a password", async () => {
    const { environment, settings } = workspace;
    const { stdout } = await pipeline(["plan", "-e", EXECUTION_DATE], environment);
    expect(stdout).toMatch(/^plan of a run for 2020-05-29T00:00:00Z; nothing was changed\n\nlock +free\n/);
    expect(stdout).toMatch(
      /^raw files to read: 2\n.*\n.*csv .*vouchers\/late\.csv\n.*parquet .*part\.parquet$/m,
    );
    expect(stdout).toMatch(/^-- sql\/v1\/curated\/vouchers\.sql\nCOPY \(/m);
    expect(stdout).toMatch(/^COMMIT;\n$/m);
    const json = await pipeline(["plan", "-e", EXECUTION_DATE, "--json"], environment);
    expect(JSON.parse(json.stdout)).toEqual(JSON.parse(JSON.stringify(planned)));
    const { password } = new URL(settings.consumptionUrl);
    if (password !== "") expect(stdout + json.stdout).not.toContain(`:${password}@`);
  });

  it("ends like a run if raw files are missing or faulty", async () => {
    const { settings, environment } = await makeWorkspace();
    expect(await pipeline(["plan", "-e", EXECUTION_DATE], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("RAW_ZONE_EMPTY"),
    });
    await putFile(settings.zones.raw, "vouchers/bad.parquet", "no parquet");
    await expect(plan(settings)).rejects.toMatchObject({ code: "RAW_FILE_UNREADABLE" });
  });
});

describe("pipeline render", () => {
  it("prints the SQL of one model, as in the plan, and of its audits on request", async () => {
    const { environment, settings } = await untouched();
    const copied = (await plan(settings)).steps.find(({ model }) => model === "curated.vouchers")?.statements;
    const words = ["render", "curated.vouchers", "-e", EXECUTION_DATE];
    const { code, stdout } = await pipeline(words, environment);
    expect(code).toBe(0);
    expect(copied?.[0]?.sql).toContain(`COPY (${stdout.slice(0, -2)}\n) TO`);
    const withAudits = (await pipeline([...words, "--audits"], environment)).stdout;
    expect(withAudits).toMatch(/;\n\n-- sql\/v1\/audits\/not_empty\.sql\n/);
    const raw = await pipeline(["render", "raw.vouchers", "-e", EXECUTION_DATE, "--json"], environment);
    expect(JSON.parse(raw.stdout)).toMatchObject({
      model: "raw.vouchers",
      sql: expect.stringContaining("vouchers/late.csv"),
    });
  });

  it("needs no raw file for a model that reads none, and creates nothing", async () => {
    const empty = await makeWorkspace();
    const before = await allOf(empty);
    const words = ["render", "provision.voucher_frequent_most_used", "-e", EXECUTION_DATE];
    expect((await pipeline(words, empty.environment)).stdout).toContain(
      "FROM provision.voucher_amount_usage",
    );
    expect(await allOf(empty)).toEqual(before);
  });

  it("names the existing models if the requested one does not exist", async () => {
    const { environment } = await makeWorkspace();
    expect(await pipeline(["render", "vouchers", "-e", EXECUTION_DATE], environment)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown model vouchers; known models: raw.vouchers, "),
    });
  });
});
