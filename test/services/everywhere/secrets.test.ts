import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { askForVoucher, startApi } from "../../api/process.js";
import { pipeline } from "../../cli/command.js";
import { readTable } from "../../consumption/reading.js";
import { adminUrl, askMysql } from "../../consumption/servers.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { readPartition } from "../../run/running.js";
import { getFile, listFiles } from "../../storage.js";
import { makeFolder, makeWorkspace, SHIPPED_SQL, type Workspace } from "../../workspace.js";
import { keysEnvironment, temporaryKeys } from "../s3/temporary-keys.js";

/** With what has a meaning in URLs, in SQL and in JSON. */
const PASSWORD = "Unmistakable/p@ss:w%rd'\\\"#1";
const WRONG_PASSWORD = "Unmistakably/wr%ng:p@ss";
const WRONG_KEY = "UnmistakablyWrong/Key+Of/S3";
const RUN = ["-e", "2020-05-29"];

let workspace: Workspace;
let environment: Record<string, string>;
let secrets: string[];
let user: string;

beforeAll(async () => {
  workspace = await makeWorkspace({}, "minio+mysql");
  const { settings } = workspace;
  await putVouchers(settings.zones.raw, times(3, voucher()));
  const database = new URL(settings.consumptionUrl).pathname.slice(1);
  user = `secret_${database.slice(-8)}`;
  const password = PASSWORD.replaceAll("\\", "\\\\").replaceAll("'", "''");
  await askMysql(adminUrl("mysql"), `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}'`);
  await askMysql(adminUrl("mysql"), `GRANT ALL ON \`${database}\`.* TO '${user}'@'%'`);
  const keys = await temporaryKeys({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["s3:*"], Resource: ["arn:aws:s3:::*"] }],
  });
  environment = { ...workspace.environment, ...keysEnvironment(keys), CONSUMPTION_URL: urlWith(PASSWORD) };
  secrets = [PASSWORD, WRONG_PASSWORD, WRONG_KEY, keys.secretAccessKey, keys.sessionToken].flatMap(
    (secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)],
  );
  secrets.push(new URL(urlWith(PASSWORD)).password);
});
afterAll(() => askMysql(adminUrl("mysql"), `DROP USER '${user}'@'%'`));

function urlWith(password: string, change: (url: URL) => void = () => undefined): string {
  const url = new URL(workspace.settings.consumptionUrl);
  url.username = user;
  url.password = encodeURIComponent(password);
  change(url);
  return url.href;
}

function expectNoSecret(said: string): void {
  for (const secret of secrets) expect(said).not.toContain(secret);
}

/** Runs a command that must end with an exit code, and must not have told a secret. */
async function expectDiscreet(
  args: readonly string[],
  changes: Record<string, string>,
  exitCode: number,
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await pipeline(args, { ...environment, ...changes }, input);
  expectNoSecret(stdout + stderr);
  expect({ code, stderr }).toMatchObject({ code: exitCode });
  return stdout + stderr;
}

/** SQL of one's own with a model that is given, and an audit for it. */
async function sqlWith(select: string, audit = "SELECT 1 WHERE false"): Promise<Record<string, string>> {
  const { folder } = await makeWorkspace();
  const sqlDirectory = path.join(folder, "sql");
  await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
  const header =
    "/*\ndescription: Curious\naudits: [curious]\ncolumns:\n  content: { type: VARCHAR, description: What is found }\n" +
    "  execution_date: { type: VARCHAR, description: The partition }\n*/\n";
  await writeFile(path.join(sqlDirectory, "v1/provision/curious.sql"), header + select);
  await writeFile(path.join(sqlDirectory, "v1/audits/curious.sql"), `/*\ndescription: Curious\n*/\n${audit}`);
  return { SQL_DIRECTORY: sqlDirectory };
}

const SECRETS_AND_OPTIONS = `
  SELECT secret_string AS content, {{ partition_key }} AS execution_date FROM duckdb_secrets()
  UNION ALL SELECT name || '=' || value, {{ partition_key }} FROM duckdb_settings() WHERE value IS NOT NULL
  UNION ALL SELECT current_setting('s3_secret_access_key') || current_setting('s3_session_token'), {{ partition_key }}
  ORDER BY ALL`;

describe("no secret appears in", () => {
  it.each([[[]], [["--json"]]])("a successful run with %j", async (options) => {
    const said = await expectDiscreet([...RUN, ...options], {}, 0);
    expect(said).toMatch(/2020-05-29T00:00:00Z|29 May 2020/);
  });

  it.each([[["plan", ...RUN]], [["doctor"]]])("%j without a fault", async (words) => {
    for (const format of [[], ["--json"]]) await expectDiscreet([...words, ...format], {}, 0);
  });

  it.each<[string, () => Record<string, string>, number]>([
    ["a wrong password", () => ({ CONSUMPTION_URL: urlWith(WRONG_PASSWORD) }), 2],
    [
      "a database server that is away",
      () => ({ CONSUMPTION_URL: urlWith(PASSWORD, (url) => (url.port = "1")) }),
      4,
    ],
    [
      "a host that nobody knows",
      () => ({ CONSUMPTION_URL: urlWith(PASSWORD, (url) => (url.hostname = "db.invalid")) }),
      4,
    ],
    [
      "a database that is not there",
      () => ({ CONSUMPTION_URL: urlWith(PASSWORD, (url) => (url.pathname = "/no")) }),
      2,
    ],
    [
      "an option of the URL that there is not",
      () => ({ CONSUMPTION_URL: urlWith(PASSWORD, (url) => (url.search = "a=b")) }),
      2,
    ],
    [
      "a URL without a database",
      () => ({ CONSUMPTION_URL: urlWith(PASSWORD, (url) => (url.pathname = "")) }),
      2,
    ],
    [
      "a URL of another protocol",
      () => ({ CONSUMPTION_URL: urlWith(PASSWORD).replace("mysql:", "postgres:") }),
      2,
    ],
    [
      "a password that is not encoded",
      () => ({ CONSUMPTION_URL: `mysql://${user}:${PASSWORD}@127.0.0.1:3306/db` }),
      2,
    ],
    ["a wrong key of S3", () => ({ AWS_SECRET_ACCESS_KEY: WRONG_KEY }), 2],
    ["a wrong token of S3", () => ({ AWS_SESSION_TOKEN: WRONG_KEY }), 2],
    ["an S3 that is away", () => ({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" }), 4],
    [
      "an address of S3 with keys in it",
      () => ({ AWS_ENDPOINT_URL_S3: `http://me:${encodeURIComponent(WRONG_KEY)}@127.0.0.1` }),
      2,
    ],
    ["a bucket that is not there", () => ({ CURATED_ZONE: "s3://no-such-bucket-of-the-tests/zone" }), 2],
    ["a setting that is wrong", () => ({ DUCKDB_THREADS: "many" }), 2],
  ])("a run with %s, nor to machines, nor by a doctor", async (_fault, changes, exitCode) => {
    await expectDiscreet(RUN, changes(), exitCode);
    await expectDiscreet([...RUN, "--json"], changes(), exitCode);
    await expectDiscreet(["doctor"], changes(), exitCode);
  });

  it("a model that reads the engine's keys and options, nor in its file", async () => {
    await expectDiscreet(RUN, await sqlWith(SECRETS_AND_OPTIONS), 0);
    const rows = await readPartition(workspace.settings, "provision.curious");
    expect(JSON.stringify(rows)).toContain("secret=redacted");
    expectNoSecret(JSON.stringify(rows));
  });

  it("a model that fails with its inputs", async () => {
    const select = `SELECT error(string_agg(content)) AS content, {{ partition_key }} AS execution_date FROM (${SECRETS_AND_OPTIONS}) ORDER BY ALL`;
    expect(await expectDiscreet(RUN, await sqlWith(select), 3)).toContain("secret=redacted");
  });

  it("an audit that shows its inputs", async () => {
    const nothing = "SELECT 'x' AS content, {{ partition_key }} AS execution_date ORDER BY ALL";
    const audit =
      "SELECT secret_string, current_setting('s3_secret_access_key') AS key, current_setting('s3_session_token') AS token FROM duckdb_secrets()";
    expect(await expectDiscreet(RUN, await sqlWith(nothing, audit), 3)).toContain("secret=redacted");
  });

  it.each<[string, number, string]>([
    ["FROM duckdb_secrets()", 0, "redacted"],
    ["FROM duckdb_settings()", 0, "s3_secret_access_key"],
    ["FROM duckdb_secrets(redact = false)", 2, "disabled"],
    ["SELECT current_setting('s3_secret_access_key'), current_setting('s3_session_token')", 0, ""],
    ["FROM enable_logging('HTTP')", 2, "may write"],
    ["SELECT nothing", 2, "nothing"],
  ])("a shell with the statement %s", async (sql, exitCode, word) => {
    for (const format of ["--csv", "--json"])
      expect(await expectDiscreet(["shell", format, "-c", sql], {}, exitCode)).toContain(word);
  });

  it.each<[string, () => Record<string, string>]>([
    ["is away", () => ({ CONSUMPTION_URL: urlWith(PASSWORD, (url) => (url.port = "1")) })],
    ["refuses the password", () => ({ CONSUMPTION_URL: urlWith(WRONG_PASSWORD) })],
  ])("an api whose database %s, nor in its log", async (_fault, changes) => {
    const api = startApi({ ...environment, ...changes() });
    const response = await askForVoucher(api);
    expect(response.status).toBe(503);
    expectNoSecret(await response.text());
    api.child.kill("SIGTERM");
    await api.ended;
    expect(api.log()).toContain("MySQL database");
    expectNoSecret(api.log());
  });

  it("a run and an api that have them from files", async () => {
    const folder = await makeFolder();
    const names = ["CONSUMPTION_URL", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    const files: Record<string, string> = {};
    for (const name of names) {
      files[name] = "";
      files[`${name}_FILE`] = path.join(folder, name);
      await writeFile(path.join(folder, name), `${environment[name] ?? ""}\n`);
    }
    await expectDiscreet(RUN, files, 0);
    await expectDiscreet(["doctor"], files, 0);
    const api = startApi({ ...environment, ...files });
    expect(await (await askForVoucher(api)).json()).toEqual({ voucher_amount: 2640 });
    api.child.kill("SIGTERM");
    await api.ended;
    expectNoSecret(api.log());
    // A secret that was written where the path of its file belongs.
    const mistaken = { CONSUMPTION_URL: "", CONSUMPTION_URL_FILE: urlWith(PASSWORD) };
    expect(await expectDiscreet(RUN, mistaken, 2)).toContain("CONSUMPTION_URL_FILE names a file");
  });

  it("an api that does not start", async () => {
    const api = startApi({
      ...environment,
      CONSUMPTION_URL: urlWith(PASSWORD, (url) => (url.pathname = "")),
    });
    expect(await api.ended).toBe(2);
    expect(api.log()).toContain("CONSUMPTION_URL");
    expectNoSecret(api.log());
  });
});

describe("after all of that no secret is left in", () => {
  it("the records of the runs and the publications", async () => {
    const runs = await readTable(workspace.settings, "SELECT * FROM pipeline_runs");
    expect(runs).toContainEqual(expect.objectContaining({ outcome: "failed" }));
    expect(runs).toContainEqual(expect.objectContaining({ outcome: "succeeded" }));
    const publications = await readTable(workspace.settings, "SELECT * FROM publications");
    expectNoSecret(JSON.stringify([runs, publications]));
  });

  it("the files of the zones, or of the run's own folders", async () => {
    const { runReports, zones } = workspace.settings;
    for (const zone of [zones.curated, zones.provision, runReports]) {
      const names = await listFiles(zone);
      expect(names).not.toEqual([]);
      for (const name of names) expectNoSecret((await getFile(zone, name)).toString("latin1"));
    }
    const entries = await readdir(workspace.folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    // With zones on S3 there need not be any.
    for (const file of files) expectNoSecret(await readFile(path.join(file.parentPath, file.name), "latin1"));
  });
});
