import { describe, expect, it } from "@jest/globals";
import { createConnection } from "mysql2/promise";
import { pipeline, start } from "../../cli/command.js";
import { askMysql } from "../../consumption/servers.js";
import { EXECUTION_DATE } from "../../run/running.js";
import { makeFolder } from "../../workspace.js";
import { ownDatabase, sampleIn } from "../own-servers.js";

/** Each test waits for a minute. One server each is enough, unless all outages are asked for. */
const ALL = process.env["OUTAGES"] === "all";
const SERVERS = ["mysql", "mariadb"] as const;
const LIMIT_MILLISECONDS = 300_000;
const OTHER_DATE = "2020-05-30";

describe("a run", () => {
  it.concurrent.each(ALL ? SERVERS : ["mysql" as const])(
    "that is frozen in its publish into %s delays others for a minute, and publishes nothing when it continues",
    async (kind) => {
      const server = await ownDatabase(kind, "db");
      const environment = { ...sampleIn(await makeFolder()), CONSUMPTION_URL: server.url };
      await pipeline(["-e", OTHER_DATE], environment);
      const failpoint = "publish: voucher_amount_usage written";
      const frozen = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: failpoint });
      await frozen.stoodAt(failpoint);

      const begun = performance.now();
      const withdrawn = await pipeline(["withdraw", "-e", OTHER_DATE, "--why", "a test"], environment);
      expect(withdrawn).toMatchObject({ code: 0, stderr: "" });
      expect((performance.now() - begun) / 1_000).toBeLessThan(75);

      frozen.kill("SIGCONT");
      const { code, stderr } = await frozen.ended;
      expect(stderr).toMatch(/LOCK_LOST: this process was paused for [0-9]+ s/);
      expect(code).toBe(5);
      expect(await askMysql(server.url, "SELECT execution_date FROM publications")).toEqual([]);
      const rows = "SELECT count(*) AS n FROM voucher_amount_usage WHERE execution_date LIKE '2020-05-29%'";
      expect(await askMysql(server.url, rows)).toEqual([{ n: 0 }]);
      expect((await pipeline(["-e", EXECUTION_DATE], environment)).code).toBe(0);
    },
    LIMIT_MILLISECONDS,
  );

  it.concurrent.each(ALL ? SERVERS : ["mariadb" as const])(
    "that waits for another program of %s without success names that and its start",
    async (kind) => {
      const server = await ownDatabase(kind, "db");
      const environment = { ...sampleIn(await makeFolder()), CONSUMPTION_URL: server.url };
      await pipeline(["-e", EXECUTION_DATE], environment);
      await askMysql(
        server.url,
        `INSERT INTO pipeline_runs (run_id, execution_date, stages, outcome, started_at, started_by, sql_version, sql_hash)
         SELECT 'another', '2020-05-01T000000', stages, 'running', started_at, 'ann@elsewhere process 7', sql_version, sql_hash
         FROM pipeline_runs`,
      );
      const rival = await createConnection({ uri: server.url });
      await rival.query("START TRANSACTION");
      await rival.query("UPDATE publish_lock SET publishes = 0");
      const { code, stderr } = await pipeline(["-e", EXECUTION_DATE], environment);
      await rival.end();
      expect(code).toBe(4);
      expect(stderr).toContain("In progress: run another by ann@elsewhere process 7 since 20");
      expect(stderr).toMatch(/the transaction of connection [0-9]+, root from .*, since 20/);
    },
    LIMIT_MILLISECONDS,
  );
});
