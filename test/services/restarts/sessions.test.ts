import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { askForVoucher, startApi } from "../../api/process.js";
import { pipeline } from "../../cli/command.js";
import { askMysql } from "../../consumption/servers.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE } from "../../run/running.js";
import { makeFolder } from "../../workspace.js";
import { databaseOn, ownSqlServer, sampleIn, type OwnServer } from "../own-servers.js";
import type { SqlServer } from "../servers.mjs";

/** Nothing here is as the pipeline needs it. What no option of a server says, each session of its users begins with. */
const INIT_CONNECT = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED, READ ONLY",
  "SET NAMES latin1",
  "SET sql_safe_updates = 1, sql_select_limit = 3, unique_checks = 0, autocommit = 0",
].join("; ");
const SETTINGS = [
  `--init-connect=${INIT_CONNECT}`,
  "--autocommit=0",
  "--completion-type=RELEASE",
  "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT",
  "--default-storage-engine=MyISAM",
  "--character-set-server=latin1",
  "--lower-case-table-names=1",
  "--default-time-zone=-07:00",
];
/** MySQL has no longer an option to ignore the character set that a client asks for. */
const OWN_SETTINGS = { mysql: [], mariadb: ["--skip-character-set-client-handshake"] };

describe.each(["mysql", "mariadb"] as const)("%s, whose defaults are not those of the pipeline", (kind) => {
  let server: OwnServer<SqlServer>;
  let url: string;
  let environment: Record<string, string>;
  beforeAll(async () => {
    server = await ownSqlServer(kind, [...SETTINGS, ...OWN_SETTINGS[kind]]);
    const admin = await databaseOn(server, "gutscheine_für_alle");
    await askMysql(admin, "CREATE USER 'app'@'%' IDENTIFIED BY 'a password'");
    await askMysql(admin, "GRANT ALL ON `gutscheine_für_alle`.* TO 'app'@'%'");
    const address = new URL(admin);
    address.username = "app";
    address.password = "a%20password";
    url = address.href;
    const raw = path.join(await makeFolder(), "raw");
    environment = { ...sampleIn(await makeFolder()), RAW_ZONE: raw, CONSUMPTION_URL: url };
    const countries = ["Peru", "Perú", "peru", "😀", "\\'\"", "Peru\u0301"];
    await putVouchers(
      raw,
      countries.flatMap((country_code) => times(3, voucher({ country_code }))),
    );
  }, 120_000);
  afterAll(() => server.stop());

  it("accepts a publish, serves it, and has the record of the run", async () => {
    for (const date of [EXECUTION_DATE, "2020-05-30", EXECUTION_DATE]) {
      const { code, stderr } = await pipeline(["-e", date], environment);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    }
    const seen = await askMysql(
      server.current.url + "gutscheine_für_alle",
      "SELECT outcome FROM pipeline_runs",
    );
    expect(seen).toEqual([{ outcome: "succeeded" }, { outcome: "succeeded" }, { outcome: "succeeded" }]);
    const rows =
      "SELECT count(DISTINCT country_code) AS n FROM voucher_frequent_most_used WHERE execution_date LIKE '2020-05-29%'";
    expect(await askMysql(server.current.url + "gutscheine_für_alle", rows)).toEqual([{ n: 6 }]);
    const engines =
      "SELECT DISTINCT engine AS e FROM information_schema.tables WHERE table_schema = 'gutscheine_für_alle'";
    expect(await askMysql(server.current.url, engines)).toEqual([{ e: "InnoDB" }]);
    expect(
      (await pipeline(["withdraw", "-e", "2020-05-30", "--why", "a 'test' \\ of \"quotes\""], environment))
        .code,
    ).toBe(0);
    expect((await pipeline(["restore", "-e", "2020-05-30"], environment)).code).toBe(0);
    const api = startApi({ ...environment, PORT: "0" });
    expect(await (await askForVoucher(api)).json()).toEqual({ voucher_amount: 2640 });
  });

  it("passes the checks of a doctor", async () => {
    const { stdout } = await pipeline(["doctor"], environment);
    expect(stdout).toMatch(/ok +database/);
    expect(stdout).toMatch(/ok +rights/);
  });

  it("is refused with the name of the setting if it accepts only short statements", async () => {
    await askMysql(server.current.url, "SET GLOBAL max_allowed_packet = 1024");
    const { code, stderr } = await pipeline(["-e", EXECUTION_DATE], environment);
    await askMysql(server.current.url, "SET GLOBAL max_allowed_packet = 67108864");
    expect(stderr).toContain("set max_allowed_packet of the server to 16 MiB or more");
    expect(code).toBe(2);
  });

  it("is refused with the name of the setting if it accepts only encrypted connections", async () => {
    await askMysql(server.current.url, "SET GLOBAL require_secure_transport = ON");
    const { code, stderr } = await pipeline(["-e", EXECUTION_DATE], environment);
    expect(stderr).toMatch(/add \?ssl-mode=REQUIRED (to CONSUMPTION_URL|if (the server|it accepts))/);
    expect(code).toBe(2);
    // The MariaDB of the tests has no certificate.
    if (kind === "mariadb") return;
    const encrypted = { ...environment, CONSUMPTION_URL: `${url}?ssl-mode=REQUIRED` };
    expect((await pipeline(["-e", EXECUTION_DATE], encrypted)).code).toBe(0);
  });
});
