import { describe, expect, it } from "@jest/globals";
import { createConnection } from "mysql2/promise";
import { pipeline, start } from "../../cli/command.js";
import { askMysql } from "../../consumption/servers.js";
import { EXECUTION_DATE } from "../../pipeline/running.js";
import { makeFolder } from "../../workspace.js";
import { ownDatabase, sampleIn } from "../own-servers.js";

/** What waits for minutes is tried where all outages are asked for. */
const TAKES_LONG = process.env["OUTAGES"] === "all";
const OTHER_DATE = "2020-05-30";

(TAKES_LONG ? describe : describe.skip).each(["mysql", "mariadb"] as const)("a run into %s", (kind) => {
  it("that is frozen in its publish holds others up for a minute, and publishes nothing when it wakes up", async () => {
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
    expect(stderr).toMatch(/LOCK_LOST: this process stood still for [0-9]+ s/);
    expect(code).toBe(5);
    expect(await askMysql(server.url, "SELECT execution_date FROM publications")).toEqual([]);
    const rows = "SELECT count(*) AS n FROM voucher_amount_usage WHERE execution_date LIKE '2020-05-29%'";
    expect(await askMysql(server.url, rows)).toEqual([{ n: 0 }]);
    expect((await pipeline(["-e", EXECUTION_DATE], environment)).code).toBe(0);
  });

  it("that waits for another program in vain says who that is, and since when", async () => {
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
  });
});
