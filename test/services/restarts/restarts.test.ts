import { existsSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createConnection } from "mysql2/promise";
import { ask, askForVoucher, startApi } from "../../api/process.js";
import { pipeline, start } from "../../cli/command.js";
import { askMysql } from "../../consumption/servers.js";
import { EXECUTION_DATE } from "../../run/running.js";
import { makeFolder } from "../../workspace.js";
import { databaseOn, ownMinio, ownSqlServer, sampleIn, zonesOn, type OwnServer } from "../own-servers.js";
import type { SqlServer } from "../servers.mjs";

describe.each(["mysql", "mariadb"] as const)("%s", (kind) => {
  let server: OwnServer<SqlServer>;
  let databases = 0;
  beforeAll(async () => {
    server = await ownSqlServer(kind);
  }, 120_000);

  /** A database of the test's own, and the environment of a run that publishes into it. */
  async function ownDatabase(): Promise<{ url: string; environment: Record<string, string> }> {
    databases += 1;
    const url = await databaseOn(server, `db_${databases.toString()}`);
    return { url, environment: { ...sampleIn(await makeFolder()), CONSUMPTION_URL: url } };
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

  it("that restarts in the middle of a publish delays the run only", async () => {
    const { url, environment } = await ownDatabase();
    const { running, rival } = await runUntilPublish(url, environment);
    await server.stop();
    rival.destroy();
    await server.start();
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await askMysql(url, "SELECT * FROM voucher_frequent_most_used WHERE voucher_amount = 1")).toEqual(
      [],
    );
  });

  it("that stays down in the middle of a publish ends the run with 4, and the next one succeeds", async () => {
    const { url, environment } = await ownDatabase();
    const { running, rival } = await runUntilPublish(url, environment);
    await server.stop();
    rival.destroy();
    const { code, stderr } = await running.ended;
    expect(code).toBe(4);
    const { pathname } = new URL(url);
    expect(stderr).toContain(
      `error CONSUMPTION_UNAVAILABLE: the MySQL database ${pathname.slice(1)} at 127.0.0.1`,
    );
    expect(stderr).not.toContain(server.current.credentials.password);
    await server.start();
    expect(await askMysql(url, "SELECT * FROM voucher_frequent_most_used WHERE voucher_amount <> 1")).toEqual(
      [],
    );
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0 });
    expect(await askMysql(url, "SELECT * FROM voucher_frequent_most_used WHERE voucher_amount = 1")).toEqual(
      [],
    );
  });

  it("that restarts does not stop the api from answering, nor from new queries as soon as it is back", async () => {
    const { environment } = await ownDatabase();
    await pipeline(["-e", EXECUTION_DATE], environment);
    const api = startApi({ ...environment, PORT: "0" });
    const answered = async () => (await askForVoucher(api)).status;
    const asked = async () => (await ask(api, "/v1/publications")).status;
    expect(await Promise.all([answered(), asked(), asked()])).toEqual([200, 200, 200]);
    await server.stop();
    expect(await Promise.all([answered(), asked()])).toEqual([200, 503]);
    await server.start();
    expect(await Promise.all([answered(), asked(), asked()])).toEqual([200, 200, 200]);
  });

  it("releases the lock of a killed run", async () => {
    const { url, environment } = await ownDatabase();
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

  if (kind === "mysql")
    it("accepts TLS as the URL requires, and not with another certificate", async () => {
      const { url, environment } = await ownDatabase();
      await askMysql(server.current.url, "CREATE USER safe@'%' IDENTIFIED BY 'pw' REQUIRE SSL");
      await askMysql(server.current.url, `GRANT ALL ON ${new URL(url).pathname.slice(1)}.* TO safe@'%'`);
      const endOf = async (options: string) => {
        const safe = new URL(options, url);
        [safe.username, safe.password] = ["safe", "pw"];
        const { code, stderr } = await pipeline(["-e", EXECUTION_DATE], {
          ...environment,
          CONSUMPTION_URL: safe.href,
        });
        return [code, /error [A-Z_]+/.exec(stderr)?.[0] ?? ""];
      };
      const authority = encodeURIComponent(path.join(server.current.directory, "data/ca.pem"));
      expect(await endOf("")).toEqual([2, "error CONSUMPTION_NOT_USABLE"]);
      expect(await endOf("?ssl-mode=REQUIRED")).toEqual([0, ""]);
      expect(await endOf(`?ssl-mode=VERIFY_CA&ssl-ca=${authority}`)).toEqual([0, ""]);
      expect(await endOf("?ssl-mode=VERIFY_CA")).toEqual([2, "error CONSUMPTION_NOT_USABLE"]);
      // The certificate that the server has made for itself names no host.
      expect(await endOf(`?ssl-mode=VERIFY_IDENTITY&ssl-ca=${authority}`)).toEqual([
        2,
        "error CONSUMPTION_NOT_USABLE",
      ]);
    });
});

describe("MinIO", () => {
  it("that stops while files are written ends the run with 4, and the next one succeeds", async () => {
    const folder = await makeFolder();
    const server = await ownMinio("lake");
    const environment = {
      ...zonesOn(server, "lake"),
      RAW_ZONE: path.join(folder, "raw"),
      CONSUMPTION_URL: `sqlite:${path.join(folder, "c.db")}`,
    };
    // Enough to be written for a while.
    await pipeline(["sample", "--rows", "500000", "--out", path.join(folder, "raw/vouchers")]);
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0 });
    const running = start(["-e", EXECUTION_DATE], environment);
    while (!existsSync(path.join(server.current.directory, "data/lake/curated/_staging"))) {
      await new Promise((later) => setTimeout(later, 5));
    }
    await server.stop();
    const { code, stderr } = await running.ended;
    expect(code).toBe(4);
    expect(stderr).toContain("error STORAGE_FAILED");
    expect(stderr).toContain(new URL(server.current.endpoint).host);
    await server.start();
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0 });
  });
});
