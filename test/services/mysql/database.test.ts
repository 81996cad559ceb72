import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { openConsumption } from "../../../src/consumption/open-consumption.js";
import type { Settings } from "../../../src/settings/settings.js";
import { pipeline } from "../../cli/command.js";
import { readTable } from "../../consumption/reading.js";
import { adminUrl, askMysql } from "../../consumption/servers.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { hashesOf } from "../../storage.js";
import { makeWorkspace, type Workspace } from "../../workspace.js";

const MOST_USED = "SELECT * FROM voucher_frequent_most_used ORDER BY country_code";

describe.each(["mysql", "mariadb"] as const)("a consumption database in %s", (server) => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await makeWorkspace({}, `local+${server}`);
    await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
    await run(workspace.settings);
  });

  /** The workspace with another address of the database, as user and password or as options of the URL. */
  function changed(change: (url: URL) => void): Settings {
    const url = new URL(workspace.settings.consumptionUrl);
    change(url);
    return { ...workspace.settings, consumptionUrl: url.href };
  }

  it("has exactly the columns and types of the contract, and texts that compare by their bytes", async () => {
    const columns = await readTable(
      workspace.settings,
      `SELECT column_name AS name, column_type AS type, is_nullable AS nullable, column_key AS \`key\`,
         collation_name AS collation FROM information_schema.columns
       WHERE table_schema = database() AND table_name = 'voucher_frequent_most_used' ORDER BY ordinal_position`,
    );
    const collation = server === "mysql" ? "utf8mb4_0900_bin" : "utf8mb4_nopad_bin";
    const text = { nullable: "NO", key: "PRI", collation };
    expect(columns).toEqual([
      { name: "country_code", type: "varchar(64)", ...text },
      { name: "frequent_segment", type: expect.stringMatching(/^varchar\(\d+\)$/), ...text },
      {
        name: "voucher_amount",
        type: expect.stringMatching(/^int/),
        nullable: "YES",
        key: "",
        collation: null,
      },
      { name: "execution_date", type: "varchar(17)", ...text },
    ]);
  });

  it("shows the seed's select in MySQL's own client, column for column", () => {
    const { hostname, port, username, password, pathname } = new URL(workspace.settings.consumptionUrl);
    const query = "select * from voucher_frequent_most_used where country_code='Peru';";
    const { stdout, stderr } = spawnSync(
      "mysql",
      ["--table", "-h", hostname, "-P", port, "-u", username, pathname.slice(1), "-e", query],
      { encoding: "utf8", env: { ...process.env, MYSQL_PWD: password } },
    );
    expect(stderr).toBe("");
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.replaceAll(" ", "")),
    ).toEqual([
      expect.stringMatching(/^\+-/),
      "|country_code|frequent_segment|voucher_amount|execution_date|",
      expect.stringMatching(/^\+-/),
      "|Peru|5-13|2640|2020-05-29T000000|",
      expect.stringMatching(/^\+-/),
    ]);
  });

  it("whose tables have another engine or collation is a fault for status --deep and a doctor", async () => {
    const { settings, environment } = await makeWorkspace({}, `local+${server}`);
    await putVouchers(settings.zones.raw, times(3, voucher()));
    await run(settings);
    await readTable(settings, "ALTER TABLE voucher_frequent_most_used ENGINE = MyISAM");
    await readTable(
      settings,
      "ALTER TABLE voucher_amount_usage MODIFY country_code varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL",
    );
    const deep = await pipeline(["status", "--deep"], environment);
    const doctor = await pipeline(["doctor"], environment);
    for (const said of [deep.stdout, doctor.stdout]) {
      expect(said).toContain("voucher_frequent_most_used: engine MyISAM instead of InnoDB");
      expect(said).toContain(
        "voucher_amount_usage: collation utf8mb4_general_ci of the column country_code instead of",
      );
    }
    expect([deep.code, doctor.code]).toEqual([3, 2]);
  });

  it("keeps countries apart that differ in case, accents or signs beyond the basic plane", async () => {
    const { settings } = await makeWorkspace({}, `local+${server}`);
    const countries = [
      "Peru",
      "PERU",
      "Perú",
      "Peru\u0301",
      "🇵🇪",
      "🇵🇱",
      "ß",
      "ss",
      "'; DROP TABLE x; --",
      "a\\'b\\",
    ];
    await putVouchers(
      settings.zones.raw,
      countries.map((country_code) => voucher({ country_code })),
    );
    await run(settings);
    const rows = (await readTable(settings, MOST_USED)) as { country_code: string }[];
    expect(new Set(rows.map(({ country_code }) => country_code))).toEqual(new Set(countries));
    expect((await run(settings)).published).toMatchObject({ isNew: false });
  });

  it.each([
    [
      "a wrong password",
      (url: URL) => (url.password = "wr0ng-passw0rd"),
      2,
      "CONSUMPTION_NOT_USABLE",
      "Access denied",
    ],
    [
      "an unknown user",
      (url: URL) => (url.username = "nobody"),
      2,
      "CONSUMPTION_NOT_USABLE",
      "Access denied",
    ],
    [
      "a database that is not there",
      (url: URL) => (url.pathname = "/missing"),
      2,
      "CONSUMPTION_NOT_USABLE",
      "missing",
    ],
    ["a server that is down", (url: URL) => (url.port = "1"), 4, "CONSUMPTION_UNAVAILABLE", "127.0.0.1:1"],
    [
      "a host that nobody knows",
      (url: URL) => (url.hostname = "db.invalid"),
      4,
      "CONSUMPTION_UNAVAILABLE",
      "db.invalid",
    ],
    ["an unknown ssl-mode", (url: URL) => (url.search = "ssl-mode=MAYBE"), 2, "INVALID_SETTINGS", "ssl-mode"],
    ["an unknown option", (url: URL) => (url.search = "charset=latin1"), 2, "INVALID_SETTINGS", "charset"],
  ])("with %s ends the run, explains it, and keeps secrets", async (_fault, change, exitCode, code, word) => {
    const { consumptionUrl } = changed(change);
    const environment = { ...workspace.environment, CONSUMPTION_URL: consumptionUrl };
    const ended = await pipeline(["-e", EXECUTION_DATE], environment);
    expect(ended).toMatchObject({ code: exitCode, stdout: "" });
    expect(ended.stderr).toContain(`error ${code}`);
    expect(ended.stderr).toContain(word);
    expect(ended.stderr).toContain(code === "INVALID_SETTINGS" ? "CONSUMPTION_URL" : "");
    expect(ended.stderr).not.toContain(new URL(consumptionUrl).password);
    expect(ended.stderr).not.toContain("    at ");
  });

  it("whose user may not write ends the run before anything is committed", async () => {
    const before = await hashesOf(workspace.settings.zones.curated);
    const database = new URL(workspace.settings.consumptionUrl).pathname.slice(1);
    const user = `reader_${database.slice(-8)}`;
    await askMysql(adminUrl(server), `CREATE USER '${user}'@'%' IDENTIFIED BY 'pw'`);
    await askMysql(adminUrl(server), `GRANT SELECT ON \`${database}\`.* TO '${user}'@'%'`);
    const settings = changed((url) => {
      url.username = user;
      url.password = "pw";
    });
    await putVouchers(settings.zones.raw, times(4, voucher({ voucher_amount: "1" })));
    await expect(run(settings)).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining("denied"),
    });
    await askMysql(adminUrl(server), `DROP USER '${user}'@'%'`);
    expect(await hashesOf(settings.zones.curated)).toEqual(before);
  });

  it("is not locked by a run of another database on the same server", async () => {
    const other = await makeWorkspace({}, `local+${server}`);
    await putVouchers(other.settings.zones.raw, [voucher()]);
    await Promise.all([run(other.settings), run(workspace.settings)]);
  });

  it("that ends a publish with a deadlock gets it again", async () => {
    const { settings, rival } = await publishedWithRival(server);
    await rival.query("CREATE TABLE ballast (n int PRIMARY KEY)");
    await rival.query("BEGIN");
    // The server ends the transaction that has changed less.
    await rival.query(
      `INSERT INTO ballast VALUES ${Array.from({ length: 5_000 }, (_, n) => `(${n.toString()})`).join()}`,
    );
    await rival.query("SELECT * FROM voucher_frequent_most_used FOR UPDATE");
    const running = run(settings);
    await waitFor(async () => (await waitingTransactions(server, settings)) > 0);
    await rival.query("UPDATE publish_lock SET publishes = publishes + 1");
    await rival.query("COMMIT");
    await rival.end();
    expect((await running).published).toMatchObject({ isNew: true });
    expect(await readTable(settings, MOST_USED)).toMatchObject([{ voucher_amount: 1 }]);
  });

  it("that loses the connection of a publish gets it again", async () => {
    const { settings, rival } = await publishedWithRival(server);
    await rival.query("BEGIN");
    await rival.query("SELECT * FROM voucher_frequent_most_used FOR UPDATE");
    const running = run(settings);
    await waitFor(async () => (await waitingTransactions(server, settings)) > 0);
    await killConnections(server, settings);
    await rival.end().catch(() => undefined);
    expect((await running).published).toMatchObject({ isNew: true });
    expect(await readTable(settings, MOST_USED)).toMatchObject([{ voucher_amount: 1 }]);
  });

  it("gives no lock to a second holder, and reports a lost lock", async () => {
    const [first, second] = await Promise.all([
      openConsumption(workspace.settings.consumptionUrl),
      openConsumption(workspace.settings.consumptionUrl),
    ]);
    const other = await createConnection({ uri: workspace.settings.consumptionUrl });
    const done = await first.tryLocked("a lock", async (lock) => {
      await lock.assertHeld();
      expect(await second.tryLocked("a lock", () => Promise.resolve("held twice"))).toBeUndefined();
      await killConnections(server, workspace.settings, [other.threadId]);
      // Free again, it is taken again.
      await lock.assertHeld();
      await killConnections(server, workspace.settings, [other.threadId]);
      const name = `${new URL(workspace.settings.consumptionUrl).pathname.slice(1)}:a lock`;
      await other.query("SELECT GET_LOCK(?, 1)", [name]);
      await expect(lock.assertHeld()).rejects.toMatchObject({
        code: "LOCK_LOST",
        message: expect.stringContaining("another run took the lock"),
      });
      return "done";
    });
    expect(done).toEqual({ result: "done" });
    await other.end();
    await Promise.all([first.close(), second.close()]);
  });
});

/** A publication, raw files that would change it, and a connection that can get in the way of that. */
async function publishedWithRival(server: "mysql" | "mariadb") {
  const { settings } = await makeWorkspace({}, `local+${server}`);
  await putVouchers(settings.zones.raw, [voucher()]);
  await run(settings);
  await putVouchers(settings.zones.raw, [voucher({ voucher_amount: "1" })]);
  return { settings, rival: await createConnection({ uri: settings.consumptionUrl }) };
}

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("it never came");
    // The server shows its waiting transactions anew only where nobody has looked for a tenth of a second.
    await new Promise((later) => setTimeout(later, 200));
  }
}

/** Those of a database: other tests wait for other locks of the server at the same time. */
async function waitingTransactions(
  server: "mysql" | "mariadb",
  { consumptionUrl }: Settings,
): Promise<number> {
  const database = new URL(consumptionUrl).pathname.slice(1);
  const rows = await askMysql(
    adminUrl(server),
    `SELECT trx_id FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
     WHERE trx_state = 'LOCK WAIT' AND db = '${database}'`,
  );
  return rows.length;
}

/** Ends every connection to a database but some. */
async function killConnections(
  server: "mysql" | "mariadb",
  { consumptionUrl }: Settings,
  except: readonly number[] = [],
): Promise<void> {
  const admin = await createConnection({ uri: adminUrl(server) });
  const [rows] = await admin.query<RowDataPacket[]>(
    "SELECT id FROM information_schema.processlist WHERE db = ?",
    [new URL(consumptionUrl).pathname.slice(1)],
  );
  for (const { id } of rows as { id: number }[]) {
    if (!except.includes(id)) await admin.query(`KILL ${id.toString()}`).catch(() => undefined);
  }
  await admin.end();
}
