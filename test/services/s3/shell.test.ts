import { symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Row } from "../../../src/engine/builder.js";
import { pipeline } from "../../cli/command.js";
import { askDuckDb, TEST_DUCKDB_CLI } from "../../cli/duckdb-command.js";
import { describeViews } from "../../cli/shell-views.js";
import { folderWithDuckDb, shellOnTerminal } from "../../cli/terminal.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { hashesOf } from "../../storage.js";
import { fingerprint, makeFolder, makeWorkspace } from "../../workspace.js";

describe("the views of the shell", () => {
  describeViews("minio+sqlite", async (sql, environment) => {
    const { code, stdout, stderr } = await pipeline(["shell", "--json", "-c", sql], environment);
    if (code !== 0) throw new Error(stderr);
    expect(stderr).toBe("");
    return JSON.parse(stdout) as Row[];
  });
});

describe("the shell over zones on S3", () => {
  it.each([
    ["COPY to a zone", "COPY (SELECT 1) TO '<curated>/vouchers/x.parquet'"],
    ["COPY over a partition", "COPY (SELECT 1) TO '<curated>/<partition>'"],
    ["COPY that is explained", "EXPLAIN ANALYZE COPY (SELECT 1) TO '<curated>/<partition>'"],
    ["files that are in no view", "FROM read_parquet('<curated>/vouchers/x.parquet')"],
    ["a secret that stays", "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')"],
  ])("refuses %s, and leaves everything as it was", async (_what, statement) => {
    const { environment, settings } = await makeWorkspace({}, "minio+sqlite");
    const home = await makeFolder();
    await putVouchers(settings.zones.raw, times(2, voucher()));
    await pipeline(["curate", "-e", "2020-05-29"], environment);
    const before = await hashesOf(settings.zones.curated);
    const sql = statement
      .replaceAll("<curated>", settings.zones.curated)
      .replaceAll("<partition>", "vouchers/execution_date=2020-05-29T000000/data.parquet");
    const { code, stderr } = await pipeline(["shell", "-c", sql], { ...environment, HOME: home });
    expect(stderr).toMatch(/^error INVALID_USAGE: /);
    expect(code).toBe(2);
    expect(await hashesOf(settings.zones.curated)).toEqual(before);
    expect(await fingerprint(home)).toEqual({});
  });

  it("gives the keys of a profile to the duckdb command in its environment, and nowhere else", async () => {
    const { environment, folder } = await makeWorkspace({}, "minio+sqlite");
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", ...others } = environment;
    const credentials = path.join(folder, "credentials");
    await writeFile(
      credentials,
      `[mine]\naws_access_key_id=${AWS_ACCESS_KEY_ID}\naws_secret_access_key=${AWS_SECRET_ACCESS_KEY}\n`,
    );
    const { shown } = await shellOnTerminal(
      {
        ...others,
        AWS_PROFILE: "mine",
        AWS_SHARED_CREDENTIALS_FILE: credentials,
        AWS_SESSION_TOKEN: "of another key",
        PATH: `${await folderWithDuckDb("v1.5.5")}:${process.env["PATH"] ?? ""}`,
      },
      "",
      [],
    );
    const [started = "", inherited = ""] = shown.split("environment:\n");
    expect(started).toMatch(/arguments: -init \S+\/init\.sql\n/);
    expect(started).toContain("CREATE OR REPLACE SECRET zones");
    expect(started).not.toContain(AWS_ACCESS_KEY_ID);
    expect(started).not.toContain(AWS_SECRET_ACCESS_KEY);
    expect(inherited).toContain(`AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}\n`);
    expect(inherited).not.toContain("AWS_SESSION_TOKEN");
  });

  it("shows its keys to no one", async () => {
    const { environment } = await makeWorkspace({}, "minio+sqlite");
    const { stdout, stderr } = await pipeline(
      ["shell", "--json", "-c", "SELECT secret_string FROM duckdb_secrets()"],
      environment,
    );
    expect(stdout + stderr).not.toContain(environment["AWS_SECRET_ACCESS_KEY"]);
  });
});

(TEST_DUCKDB_CLI === undefined ? describe.skip : describe)("duckdb -init dist/sql/shell-s3.sql", () => {
  const ask = (sql: string, environment: Record<string, string>) =>
    askDuckDb("dist/sql/shell-s3.sql", sql, environment);

  describeViews("minio+sqlite", ask);

  it("is the one on a terminal, with only the files of the views", async () => {
    const { environment, settings } = await makeWorkspace({}, "minio+sqlite");
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const bin = await makeFolder();
    await symlink(TEST_DUCKDB_CLI ?? "", path.join(bin, "duckdb"));
    const { shown } = await shellOnTerminal(
      { ...environment, TERM: "dumb", PATH: `${bin}:${process.env["PATH"] ?? ""}` },
      "--csv",
      [
        ["\u001b[c", "\u001b]11;rgb:0000/0000/0000\u0007\u001b[?62c"],
        ["D ", "SELECT count(*) AS counted FROM raw_vouchers;\r"],
        ["counted", `COPY (SELECT 1) TO '${settings.zones.curated}/x.parquet';\r`],
        ["D ", ".exit\r"],
      ],
    );
    expect(shown).toContain("counted\n3\n");
    expect(shown).toMatch(/Permission Error:\s+Cannot access file/);
    expect(await hashesOf(settings.zones.curated)).toEqual({});
  });

  const secretOf = async (changes: Record<string, string>) => {
    const [row] = await ask("SELECT secret_string FROM duckdb_secrets()", {
      DUCKDB_EXTENSION_DIRECTORY: process.env["DUCKDB_EXTENSION_DIRECTORY"] ?? "",
      RAW_ZONE: path.join(await makeFolder(), "raw"),
      AWS_ACCESS_KEY_ID: "SOMEBODY",
      AWS_SECRET_ACCESS_KEY: "her secret",
      ...changes,
    });
    return row?.["secret_string"];
  };

  it("takes the keys and the place from the environment", async () => {
    const secret = await secretOf({
      AWS_ENDPOINT_URL_S3: "https://s3.example.com:9000/",
      AWS_SESSION_TOKEN: "her token",
      AWS_REGION: "eu-central-1",
    });
    expect(secret).toContain("endpoint=s3.example.com:9000;key_id=SOMEBODY;region=eu-central-1;");
    expect(secret).toContain("url_style=path;use_ssl=true");
    expect(secret).not.toContain("her");
  });

  it("accepts http, and another style if one is set", async () => {
    const secret = await secretOf({ AWS_ENDPOINT_URL: "http://s3.example.com", S3_URL_STYLE: "vhost" });
    expect(secret).toContain("endpoint=s3.example.com;");
    expect(secret).toContain("url_style=vhost;use_ssl=false");
  });

  it("is for AWS if no endpoint is set", async () => {
    const secret = await secretOf({});
    expect(secret).toContain("endpoint=s3.amazonaws.com;key_id=SOMEBODY;region=us-east-1;");
    expect(secret).toContain("url_style=vhost;use_ssl=true");
  });
});
