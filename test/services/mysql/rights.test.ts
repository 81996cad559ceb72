import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { restorePublication, withdrawPublication } from "../../../src/run/withdraw.js";
import { parseExecutionDate } from "../../../src/voucher/execution-date.js";
import { askForVoucher, startApi } from "../../api/process.js";
import { pipeline } from "../../cli/command.js";
import { readTable } from "../../consumption/reading.js";
import { adminUrl, askMysql } from "../../consumption/servers.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { makeWorkspace, PROJECT, type Workspace } from "../../workspace.js";

/** The statements that docs/operating.md has for the two users. */
async function documentedStatements(): Promise<string[]> {
  const text = await readFile(path.join(PROJECT, "docs/operating.md"), "utf8");
  const [, statements = ""] = /^```sql\n(CREATE USER .*?)^```$/ms.exec(text) ?? [];
  return statements.split(";\n").filter((statement) => statement !== "");
}

/** A workspace with raw vouchers, and the URLs of its database for the users that the statements make. */
interface Accounts extends Workspace {
  readonly pipelineUrl: string;
  readonly apiUrl: string;
}

describe.each(["mysql", "mariadb"] as const)("the users of docs/operating.md on %s", (server) => {
  const users: string[] = [];
  afterAll(async () => {
    for (const user of users) await askMysql(adminUrl(server), `DROP USER '${user}'@'%'`);
  });

  async function accounts(
    change: (statement: string) => string = (statement) => statement,
  ): Promise<Accounts> {
    const workspace = await makeWorkspace({}, `local+${server}`);
    await putVouchers(workspace.settings.zones.raw, [
      ...times(2, voucher()),
      voucher({ country_code: "Chile" }),
    ]);
    const url = new URL(workspace.settings.consumptionUrl);
    const database = url.pathname.slice(1);
    const named = (user: string) => `${user}_${database.slice(-8)}`;
    for (const statement of await documentedStatements()) {
      const own = statement
        .replace("`vouchers`", `\`${database}\``)
        .replace(/'(pipeline|api)'@/, (_all, user: string) => `'${named(user)}'@`);
      await askMysql(adminUrl(server), change(own));
    }
    users.push(named("pipeline"), named("api"));
    const urlOf = (user: string, password: string) =>
      Object.assign(new URL(url), { username: named(user), password }).href;
    return {
      ...workspace,
      pipelineUrl: urlOf("pipeline", "a password"),
      apiUrl: urlOf("api", "another password"),
    };
  }

  /** A first run, a second one, one of an older date, and one that changes and removes rows; a withdraw that is undone. */
  async function runAll({ settings, pipelineUrl: consumptionUrl }: Accounts): Promise<void> {
    await run({ ...settings, consumptionUrl });
    await run({ ...settings, consumptionUrl });
    await run({ ...settings, consumptionUrl }, "2020-05-28");
    await putVouchers(settings.zones.raw, times(2, voucher({ voucher_amount: "1" })));
    await run({ ...settings, consumptionUrl });
    const date = parseExecutionDate(EXECUTION_DATE);
    await withdrawPublication({ ...settings, consumptionUrl }, date, "to see whether it can");
    await restorePublication({ ...settings, consumptionUrl }, date);
  }

  it("can run the pipeline, again and for an old date, and a doctor confirms it before and after", async () => {
    const made = await accounts();
    const doctor = () => pipeline(["doctor"], { ...made.environment, CONSUMPTION_URL: made.pipelineUrl });
    expect(await doctor()).toMatchObject({ code: 0, stdout: expect.stringContaining("all is well") });
    expect(await askMysql(made.settings.consumptionUrl, "SHOW TABLES")).toEqual([]);
    await runAll(made);
    expect((await doctor()).code).toBe(0);
    expect(
      await readTable(
        made.settings,
        "SELECT country_code, voucher_amount FROM voucher_frequent_most_used WHERE execution_date = '2020-05-29T000000'",
      ),
    ).toEqual([{ country_code: "Peru", voucher_amount: 1 }]);
  });

  it.each(["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"])(
    "cannot run it without %s, and a doctor reports it",
    async (right) => {
      const made = await accounts((statement) =>
        statement.includes("'pipeline_")
          ? statement.replace(new RegExp(` ${right},|, ${right}(?= ON)`), "")
          : statement,
      );
      await expect(runAll(made)).rejects.toMatchObject({
        code: "CONSUMPTION_NOT_USABLE",
        message: expect.stringContaining("denied"),
      });
      const url = { CONSUMPTION_URL: made.pipelineUrl };
      const { code, stdout } = await pipeline(["doctor"], { ...made.environment, ...url });
      expect(code).toBe(2);
      expect(stdout).toMatch(
        right === "SELECT"
          ? /^✗ failed .*CONSUMPTION_NOT_USABLE/m
          : new RegExp(`^✗ failed +rights .*${right}`, "m"),
      );
    },
  );

  it("let the api answer, and write nothing", async () => {
    const made = await accounts();
    await run({ ...made.settings, consumptionUrl: made.pipelineUrl });
    const api = startApi({ ...made.environment, CONSUMPTION_URL: made.apiUrl });
    expect(await (await askForVoucher(api)).json()).toEqual({ voucher_amount: 2640 });
    for (const statement of [
      "INSERT INTO publish_lock VALUES (2, 1)",
      "UPDATE voucher_frequent_most_used SET voucher_amount = 1",
      "DELETE FROM publications",
      "CREATE TABLE own (number int)",
      "DROP TABLE publications",
    ]) {
      await expect(askMysql(made.apiUrl, statement)).rejects.toThrow("denied");
    }
  });
});
