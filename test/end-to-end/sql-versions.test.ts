import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { readHistory } from "../../src/introspect/history.js";
import { readStatus } from "../../src/introspect/status.js";
import type { Settings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { makeFolder, PROJECT, type Workspace } from "../workspace.js";

/** A folder of SQL: v1, v2 with the same files, and v3 with one file more and one that differs. */
async function someSql(): Promise<string> {
  const folder = await makeFolder();
  for (const version of ["v1", "v2", "v3"])
    await cp(path.join(PROJECT, "sql/v1"), path.join(folder, version), { recursive: true });
  await touch(folder, "v3");
  await writeFile(path.join(folder, "v3/notes.md"), "why\n");
  return folder;
}

/** Changes a file of a version, but no answer. */
async function touch(folder: string, version: string): Promise<void> {
  const file = path.join(folder, version, "provision/voucher_answers.sql");
  await writeFile(file, `${await readFile(file, "utf8")}-- Another file.\n`);
}

/** A workspace with its own SQL, in which v1 has published a date. */
async function published(): Promise<Workspace & { readonly sql: string }> {
  const workspace = await runOver([voucher()], "2020-05-28");
  const sql = await someSql();
  return {
    ...workspace,
    sql,
    settings: { ...workspace.settings, sqlDirectory: sql },
    environment: { ...workspace.environment, SQL_DIRECTORY: sql },
  };
}

describe("the summary of a run", () => {
  it("says nothing of the SQL if it is that of the previous publication", async () => {
    const { environment } = await published();
    expect((await pipeline(["-e", "2020-05-29"], environment)).stdout).not.toContain("SQL");
  });

  it("names the version and the files that differ from those of the previous publication", async () => {
    const { environment } = await published();
    const { stdout } = await pipeline(["-e", "2020-05-29"], { ...environment, SQL_VERSION: "v3" });
    expect(stdout).toContain(
      "\nThe SQL changed since 28 May 2020: v3 instead of v1, 2 files differ (notes.md is new, provision/voucher_answers.sql).\n",
    );
  });

  it("names the files that differ within a version, also in the report", async () => {
    const { environment, sql } = await published();
    await touch(sql, "v1");
    const words = "The SQL changed since 28 May 2020: v1, 1 file differs (provision/voucher_answers.sql).";
    const { stdout } = await pipeline(["-e", "2020-05-29"], environment);
    expect(stdout).toContain(`\n${words}\n`);
    const [, runId = ""] = /(2020-05-29T000000-[0-9a-f]+)\.html/.exec(stdout) ?? [];
    const report = await pipeline(["runs", runId, "--markdown"], environment);
    expect(report.stdout.replaceAll("\\", "")).toContain(words);
  });

  it("says if a version of another name has the same files", async () => {
    const { environment } = await published();
    const { stdout } = await pipeline(["-e", "2020-05-29"], { ...environment, SQL_VERSION: "v2" });
    expect(stdout).toContain("\nThe SQL changed since 28 May 2020: v2 instead of v1, with the same files.\n");
  });
});

describe("a run with another version over a published date", () => {
  it("is refused without --replace-version, and leaves the publication", async () => {
    const { settings, environment } = await published();
    const before = await readTable(settings, "SELECT * FROM publications");
    const changed = { ...environment, SQL_VERSION: "v2" };
    expect(await pipeline(["-e", "2020-05-28"], changed)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        "SQL_VERSION_DIFFERS: 2020-05-28T00:00:00Z is published by the SQL v1, and this run has v2.",
      ),
    });
    expect(await readTable(settings, "SELECT * FROM publications")).toEqual(before);
    const [failed] = await readHistory(settings, { limit: 1 });
    expect(failed).toMatchObject({ outcome: "failed", error_code: "SQL_VERSION_DIFFERS" });
  });

  it("publishes with --replace-version", async () => {
    const { settings, environment } = await published();
    const changed = { ...environment, SQL_VERSION: "v2" };
    expect((await pipeline(["-e", "2020-05-28", "--replace-version"], changed)).code).toBe(0);
    expect(await readTable(settings, "SELECT sql_version FROM publications")).toMatchObject([
      { sql_version: "v2" },
    ]);
  });

  it("is refused for the stage publish alone, but not for stages that do not publish", async () => {
    const { environment } = await published();
    const changed = { ...environment, SQL_VERSION: "v2" };
    expect((await pipeline(["curate", "-e", "2020-05-28"], changed)).code).toBe(0);
    expect((await pipeline(["publish", "-e", "2020-05-28"], changed)).code).toBe(2);
  });

  it("needs nothing for changed files of the same version", async () => {
    const { sql, settings } = await published();
    await touch(sql, "v1");
    expect((await run(settings, "2020-05-28")).published).toMatchObject({ isNew: true });
  });
});

describe("dates that other SQL has published", () => {
  const statusOf = (settings: Settings) =>
    readStatus(settings, { from: undefined, to: undefined, maxAgeDays: undefined, now: new Date() });

  it("are listed by status, which stays healthy", async () => {
    const { settings, environment, sql } = await published();
    await touch(sql, "v1");
    await run(settings, "2020-05-29");
    expect(await statusOf(settings)).toMatchObject({
      healthy: true,
      outdated: [{ execution_date: "2020-05-28T00:00:00Z", sql_version: "v1" }],
    });
    expect(await pipeline(["status"], environment)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        "outdated: 1\n  2020-05-28T00:00:00Z: other SQL, v1\n" +
          "  to renew them, run npx pipeline backfill --from 2020-05-28 --to 2020-05-28 --only outdated\n",
      ),
    });
  });

  it("are renewed by backfill --only outdated, once", async () => {
    const { settings, environment, sql } = await published();
    await touch(sql, "v1");
    await run(settings, "2020-05-29");
    const words = ["backfill", "--from", "2020-05-28", "--to", "2020-05-29", "--only", "outdated", "--json"];
    const { stdout } = await pipeline(words, environment);
    expect(JSON.parse(stdout)).toMatchObject({
      dates: [{ execution_date: "2020-05-28T00:00:00Z", state: "done" }],
    });
    expect((await statusOf(settings)).outdated).toEqual([]);
    expect(JSON.parse((await pipeline(words, environment)).stdout)).toMatchObject({ dates: [] });
  });

  it("are renewed by another version only with --replace-version", async () => {
    const { settings, environment } = await published();
    const words = ["backfill", "--from", "2020-05-28", "--to", "2020-05-29", "--only", "outdated"];
    const changed = { ...environment, SQL_VERSION: "v2" };
    expect(await pipeline(words, changed)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("SQL_VERSION_DIFFERS"),
    });
    expect((await pipeline([...words, "--replace-version"], changed)).code).toBe(0);
    expect((await statusOf({ ...settings, sqlVersion: "v2" })).outdated).toEqual([]);
  });
});
