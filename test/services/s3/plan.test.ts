import { describe, expect, it } from "@jest/globals";
import { planOfRun } from "../../../src/introspect/planned-run.js";
import { parseExecutionDate } from "../../../src/voucher/execution-date.js";
import { HEADER, LINE } from "../../end-to-end/failing.js";
import { putVouchers, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { putFile } from "../../storage.js";
import { makeWorkspace } from "../../workspace.js";
import { startFaultyProxy } from "./faulty-proxy.js";

describe("a plan of a run on S3", () => {
  it("sends GET and HEAD only, before and after a run", async () => {
    const { settings } = await makeWorkspace({}, "minio+sqlite");
    await putVouchers(settings.zones.raw, [voucher()]);
    await putFile(settings.zones.raw, "vouchers/late.csv", `${HEADER}\n${LINE}\n`);
    const methods = new Set<string | undefined>();
    const endpoint = await startFaultyProxy(({ method }) => {
      methods.add(method);
      return undefined;
    });
    const recorded = { ...settings, s3: { ...settings.s3, endpoint } };
    const plan = () =>
      planOfRun(recorded, parseExecutionDate(EXECUTION_DATE), new AbortController().signal, () => undefined);
    await plan();
    expect([...methods].sort()).toEqual(["GET", "HEAD"]);
    await run(recorded);
    expect(methods).toContain("PUT");
    methods.clear();
    expect((await plan()).partitions.every(({ replaces }) => replaces !== null)).toBe(true);
    expect([...methods].sort()).toEqual(["GET", "HEAD"]);
  });
});
