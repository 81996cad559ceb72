import { existsSync } from "node:fs";
import path from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, describe, expect, it } from "@jest/globals";
import { createConnection } from "mysql2/promise";
import { ask, askForVoucher, startApi } from "../../api/process.js";
import { pipeline, start } from "../../cli/command.js";
import { askMysql } from "../../consumption/servers.js";
import { EXECUTION_DATE } from "../../pipeline/running.js";
import { makeFolder, PROJECT } from "../../workspace.js";
import { startMariadb, startMinio, startMysql, type MinioServer, type SqlServer } from "../servers.mjs";

const started: { stop(signal: NodeJS.Signals): Promise<void> }[] = [];

afterAll(async () => {
  for (const server of started.splice(0)) await server.stop("SIGKILL");
});

/** Starts a server that ends with the tests of this file, if not before. */
async function starting<Server extends (typeof started)[number]>(server: Promise<Server>): Promise<Server> {
  started.push(await server);
  return server;
}

const SERVERS = { mysql: startMysql, mariadb: startMariadb };
const SAMPLE = { RAW_ZONE: path.join(PROJECT, "data/raw") };

describe.each(["mysql", "mariadb"] as const)("%s", (kind) => {
  /** A server of the test's own, with a database on it, and the environment of a run that uses both. */
  async function ownServer(): Promise<{
    server: SqlServer;
    url: string;
    environment: Record<string, string>;
  }> {
    const folder = await makeFolder();
    const server = await starting(SERVERS[kind]({ directory: path.join(folder, "server") }));
    await askMysql(server.url, "CREATE DATABASE db");
    const url = new URL("db", server.url).href;
    const environment = {
      ...SAMPLE,
      CURATED_ZONE: path.join(folder, "curated"),
      PROVISION_ZONE: path.join(folder, "provision"),
      RUN_REPORTS: path.join(folder, "runs"),
      CONSUMPTION_URL: url,
    };
    return { server, url, environment };
  }

  /** Runs until the publish waits for a row that another transaction holds. */
  async function runUntilPublish(url: string, environment: Record<string, string>) {
    await pipeline(["-e", EXECUTION_DATE], environment);
    await askMysql(url, "UPDATE voucher_frequent_most_used SET voucher_amount = 1");
    const rival = await createConnection({ uri: url });
    rival.on("error", () => undefined);
    await rival.query("BEGIN");
    await rival.query("SELECT * FROM voucher_frequent_most_used FOR UPDATE");
    const running = start(["-e", EXECUTION_DATE], environment);
    const isWaiting = "SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    while ((await askMysql(url, isWaiting)).length === 0)
      await new Promise((later) => setTimeout(later, 200));
    return { running, rival };
  }

  it("that restarts in the middle of a publish delays the run, and no more", async () => {
    const { server, url, environment } = await ownServer();
    const { running, rival } = await runUntilPublish(url, environment);
    await server.stop("SIGKILL");
    rival.destroy();
    await starting(SERVERS[kind](server));
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await askMysql(url, "SELECT * FROM voucher_frequent_most_used WHERE voucher_amount = 1")).toEqual(
      [],
    );
  });

  it("that stays down in the middle of a publish ends the run with 4, and the next one succeeds", async () => {
    const { server, url, environment } = await ownServer();
    const { running, rival } = await runUntilPublish(url, environment);
    await server.stop("SIGKILL");
    rival.destroy();
    const { code, stderr } = await running.ended;
    expect(code).toBe(4);
    expect(stderr).toContain("error CONSUMPTION_UNAVAILABLE: the MySQL database db at 127.0.0.1");
    expect(stderr).not.toContain(server.credentials.password);
    await starting(SERVERS[kind](server));
    expect(await askMysql(url, "SELECT * FROM voucher_frequent_most_used WHERE voucher_amount <> 1")).toEqual(
      [],
    );
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0 });
    expect(await askMysql(url, "SELECT * FROM voucher_frequent_most_used WHERE voucher_amount = 1")).toEqual(
      [],
    );
  });

  it("that restarts does not keep the api from answering, nor from asking it again as soon as it is back", async () => {
    const { server, environment } = await ownServer();
    await pipeline(["-e", EXECUTION_DATE], environment);
    const api = startApi({ ...environment, PORT: "0" });
    const answered = async () => (await askForVoucher(api)).status;
    const asked = async () => (await ask(api, "/v1/publications")).status;
    expect(await Promise.all([answered(), asked(), asked()])).toEqual([200, 200, 200]);
    await server.stop("SIGKILL");
    expect(await Promise.all([answered(), asked()])).toEqual([200, 503]);
    await starting(SERVERS[kind](server));
    expect(await Promise.all([answered(), asked(), asked()])).toEqual([200, 200, 200]);
  });

  it("lets go of the lock of a run that was killed", async () => {
    const { url, environment } = await ownServer();
    const { running, rival } = await runUntilPublish(url, environment);
    running.kill("SIGKILL");
    await running.ended;
    rival.destroy();
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0, stderr: "" });
    expect(await askMysql(url, "SELECT outcome FROM pipeline_runs ORDER BY started_at")).toEqual([
      { outcome: "succeeded" },
      { outcome: "killed" },
      { outcome: "succeeded" },
    ]);
  });
});

describe("mysql", () => {
  it("is reached over TLS as the URL says, and not where its certificate is not the one it says", async () => {
    const folder = await makeFolder();
    const directory = path.join(folder, "server");
    const server = await starting(startMysql({ directory }));
    await askMysql(server.url, "CREATE DATABASE db");
    await askMysql(server.url, "CREATE USER safe@'%' IDENTIFIED BY 'pw' REQUIRE SSL");
    await askMysql(server.url, "GRANT ALL ON db.* TO safe@'%'");
    const runWith = (options: string) =>
      pipeline(["-e", EXECUTION_DATE], {
        ...SAMPLE,
        CURATED_ZONE: path.join(folder, "curated"),
        PROVISION_ZONE: path.join(folder, "provision"),
        RUN_REPORTS: path.join(folder, "runs"),
        CONSUMPTION_URL: `mysql://safe:pw@127.0.0.1:${server.port.toString()}/db${options}`,
      });
    const authority = path.join(directory, "data/ca.pem");
    const of = async (options: string) => {
      const { code, stderr } = await runWith(options);
      return [code, /error [A-Z_]+/.exec(stderr)?.[0] ?? ""];
    };
    expect(await of("")).toEqual([2, "error CONSUMPTION_NOT_USABLE"]);
    expect(await of("?ssl-mode=REQUIRED")).toEqual([0, ""]);
    expect(await of(`?ssl-mode=VERIFY_CA&ssl-ca=${encodeURIComponent(authority)}`)).toEqual([0, ""]);
    expect(await of("?ssl-mode=VERIFY_CA")).toEqual([2, "error CONSUMPTION_NOT_USABLE"]);
    // The certificate that the server has made for itself names no host.
    expect(await of(`?ssl-mode=VERIFY_IDENTITY&ssl-ca=${encodeURIComponent(authority)}`)).toEqual([
      2,
      "error CONSUMPTION_NOT_USABLE",
    ]);
  });
});

describe("MinIO", () => {
  it("that stops while files are written ends the run with 4, and the next one succeeds", async () => {
    const folder = await makeFolder();
    const server = await starting(startMinio({ directory: path.join(folder, "server") }));
    const environment = {
      RAW_ZONE: path.join(folder, "raw"),
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      DUCKDB_EXTENSION_DIRECTORY: process.env["DUCKDB_EXTENSION_DIRECTORY"] ?? "",
      CURATED_ZONE: "s3://lake/curated",
      PROVISION_ZONE: "s3://lake/provision",
      RUN_REPORTS: "s3://lake/runs",
      CONSUMPTION_URL: `sqlite:${path.join(folder, "c.db")}`,
    };
    await makeBucketOn(server, "lake");
    // Enough to be written for a while.
    await pipeline(["sample", "--rows", "500000", "--out", path.join(folder, "raw/vouchers")]);
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0 });
    const running = start(["-e", EXECUTION_DATE], environment);
    while (!existsSync(path.join(server.directory, "data/lake/curated/_staging"))) {
      await new Promise((later) => setTimeout(later, 5));
    }
    await server.stop("SIGKILL");
    const { code, stderr } = await running.ended;
    expect(code).toBe(4);
    expect(stderr).toContain("error STORAGE_FAILED");
    expect(stderr).toContain(new URL(server.endpoint).host);
    await starting(startMinio(server));
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0 });
  });
});

async function makeBucketOn({ endpoint, credentials }: MinioServer, name: string): Promise<void> {
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
}
