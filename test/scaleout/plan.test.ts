import { describe, expect, it } from "@jest/globals";
import { planOfRun } from "../../src/introspect/planned-run.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { startTcpProxy } from "../services/outages/tcp-proxy.js";
import { putFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";
import { onCluster } from "./same.js";
import { clusterUrl } from "./spark.js";

describe("the plan of a run on a cluster", () => {
  it("has the statements of the run for Spark, one by one, and names its manifests", async () => {
    const server = new URL(clusterUrl());
    let heard = "";
    const proxy = await startTcpProxy(Number(server.port), (data) => (heard += data.toString()));
    server.port = proxy.port.toString();
    const workspace = await makeWorkspace();
    const { settings } = onCluster(workspace, workspace, server.href);
    await putVouchers(settings.zones.raw, times(20, voucher()));
    // Only DuckDB reads it: the raw model has a part of either engine.
    const columns = Object.keys(voucher());
    await putFile(
      settings.zones.raw,
      "vouchers/some.csv",
      `${columns.join(",")}\n${Object.values(voucher()).join(",")}\n`,
    );

    const { signal } = new AbortController();
    const plan = await planOfRun(settings, parseExecutionDate(EXECUTION_DATE), signal, () => undefined);
    expect(heard).toBe("");
    const report = await run(settings);

    const digits = report.run_id.split("-").at(-1) ?? "";
    const planned = plan.steps
      .flatMap(({ statements }) => statements)
      .filter(({ engine }) => engine === "spark")
      .map(({ sql }) => sql.replaceAll("<run>", digits));
    expect(planned.length).toBeGreaterThan(12);
    expect(planned.filter((sql) => !heard.includes(sql))).toEqual([]);
    expect(plan.off_cluster).toEqual([
      { reason: "CSV", files: 1, bytes: expect.any(Number), first: "vouchers/some.csv" },
    ]);
    expect(report.off_cluster).toEqual(plan.off_cluster);
    expect(plan.partitions.map(({ uri }) => uri)).toEqual(report.tables.map(({ uri }) => uri));
  }, 600_000);
});
