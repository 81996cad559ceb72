import { describe, expect, it } from "@jest/globals";
import { start } from "../../cli/command.js";
import { readTable } from "../../consumption/reading.js";
import { adminUrl, askMysql } from "../../consumption/servers.js";
import { visible } from "../../end-to-end/failing.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { makeWorkspace } from "../../workspace.js";

/** A run that stands still for so long that the server lets go of its lock, and another run comes and goes. */
describe.each([
  ["local", "mysql"],
  ["local", "mariadb"],
  ["minio", "mysql"],
] as const)("a run over %s that loses its lock in %s", (zones, server) => {
  it.each([
    "raw files inspected",
    "all prepared",
    "voucher_amount_usage: old file kept",
    "voucher_amount_usage: new file in place",
    "all committed",
    "publish: transaction begun",
  ])("while it is stopped at '%s' leaves the work of the other", async (failpoint) => {
    const { settings, environment } = await makeWorkspace({}, `${zones}+${server}`);
    const { raw } = settings.zones;
    await putVouchers(raw, times(3, voucher()));
    const stopped = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: failpoint });
    await stopped.stoodAt(failpoint);
    await endConnections(server, settings.consumptionUrl);

    await putVouchers(raw, times(3, voucher({ voucher_amount: "7" })));
    await run(settings);
    const after = await visible({ settings });

    stopped.kill("SIGCONT");
    const { code, stderr } = await stopped.ended;
    expect({ code, stderr }).toMatchObject({
      code: expect.any(Number),
      stderr: expect.not.stringContaining("    at "),
    });
    expect([4, 5]).toContain(code);
    expect(await visible({ settings })).toEqual(after);
    const outcomes = await readTable(settings, "SELECT outcome FROM pipeline_runs ORDER BY started_at");
    expect(outcomes).toEqual([{ outcome: "killed" }, { outcome: "succeeded" }]);
  });
});

/** As a server does that has not heard of them for long. */
async function endConnections(server: "mysql" | "mariadb", consumptionUrl: string): Promise<void> {
  const database = new URL(consumptionUrl).pathname.slice(1);
  const connections = (await askMysql(
    adminUrl(server),
    `SELECT id FROM information_schema.processlist WHERE db = '${database}'`,
  )) as { id: number }[];
  for (const { id } of connections) await askMysql(adminUrl(server), `KILL ${id.toString()}`);
}
