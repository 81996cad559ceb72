import { describe, expect, it } from "@jest/globals";
import { openConsumption } from "../../src/consumption/open-consumption.js";
import { BackfillActivity } from "../../src/run/backfill/backfill-activity.js";
import type { BackfilledDate } from "../../src/run/backfill/backfill-report.js";
import { backfill, type BackfillRequest, type EndedBackfill } from "../../src/run/backfill/backfill.js";
import { withdrawPublication } from "../../src/run/withdraw.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { pipeline } from "../cli/warm-command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { hashesOf } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

/** Peru is known from 2 May on, and another amount wins from 4 May on. Of 1 May there is nothing yet. */
const VOUCHERS = [
  voucher({ timestamp: "2020-05-01T12:00:00Z", country_code: " Peru" }),
  voucher({ timestamp: "2020-05-02 20:00:00" }),
  ...times(5, voucher({ timestamp: "2020-05-03T12:00:00Z", voucher_amount: "3520" })),
  voucher({ voucher_amount: null }),
  voucher({ total_orders: "many" }),
];

const REQUEST: BackfillRequest = {
  from: parseExecutionDate("2020-05-02"),
  to: parseExecutionDate("2020-05-04"),
  only: "missing",
  order: "oldest-first",
  maxParallel: 1,
  continueOnError: false,
  anew: false,
  gate: undefined,
  keepStaged: false,
  waitMilliseconds: 0,
};

function backfilled(
  settings: Settings,
  request: Partial<BackfillRequest> = {},
  signal = new AbortController().signal,
  activity = new BackfillActivity(),
): Promise<EndedBackfill> {
  return backfill(settings, { ...REQUEST, ...request }, signal, activity);
}

/** `2020-05-02 done`. */
function states({ report }: EndedBackfill): string[] {
  return report.dates.map(
    ({ execution_date, state }: BackfilledDate) => `${execution_date.slice(0, 10)} ${state}`,
  );
}

async function workspaceOf(vouchers = VOUCHERS): Promise<Workspace> {
  const workspace = await makeWorkspace({ maxRejectedShare: "1" });
  await putVouchers(workspace.settings.zones.raw, vouchers);
  return workspace;
}

async function zonesOf({ zones }: Settings): Promise<object> {
  return [await hashesOf(zones.curated), await hashesOf(zones.provision)];
}

describe("pipeline backfill", () => {
  it("makes the same as a run of each date, byte for byte, also several at the same time", async () => {
    const { settings } = await workspaceOf();
    const { report, fault } = await backfilled(settings, { maxParallel: 3 });
    expect(fault).toBeUndefined();
    expect(report).toMatchObject({ only: "missing", resumed_from: null, backfill_id: expect.any(String) });
    expect(report.dates).toMatchObject(
      ["2020-05-02", "2020-05-03", "2020-05-04"].map((day) => ({
        execution_date: `${day}T00:00:00Z`,
        state: "done",
        is_new: true,
        error_code: null,
      })),
    );
    const made = await zonesOf(settings);
    for (const { execution_date } of report.dates) {
      const alone = await run(settings, execution_date);
      expect(alone.published).toMatchObject({ isNew: false });
    }
    expect(await zonesOf(settings)).toEqual(made);
  });

  it("runs the missing dates, and none if none is missing", async () => {
    const { settings } = await workspaceOf();
    await run(settings, "2020-05-03");
    expect(states(await backfilled(settings))).toEqual(["2020-05-02 done", "2020-05-04 done"]);
    expect((await backfilled(settings)).report).toMatchObject({ backfill_id: null, dates: [] });
  });

  it("skips withdrawn dates", async () => {
    const { settings } = await workspaceOf();
    await backfilled(settings);
    await withdrawPublication(settings, parseExecutionDate("2020-05-03"), "it is wrong");
    expect(states(await backfilled(settings))).toEqual([]);
  });

  it("stops at the first date that fails, and resumes there in the next backfill", async () => {
    const { settings } = await workspaceOf();
    const request = { from: parseExecutionDate("2020-04-30"), only: "all", order: "newest-first" } as const;
    const stopped = await backfilled(settings, request);
    expect(stopped.fault).toMatchObject({
      code: "AUDIT_FAILED",
      message: expect.stringMatching(
        /^2020-05-01T00:00:00Z: .*3 of 5 dates are done; run the same command again to continue$/s,
      ),
    });
    expect(states(stopped)).toEqual([
      "2020-04-30 waiting",
      "2020-05-01 failed",
      "2020-05-02 done",
      "2020-05-03 done",
      "2020-05-04 done",
    ]);
    const early = voucher({ timestamp: "2020-04-25 00:00:00" });
    await putVouchers(settings.zones.raw, [early], "vouchers/early.parquet");
    const resumed = await backfilled(settings, request);
    expect(resumed.fault).toBeUndefined();
    expect(states(resumed)).toEqual([
      "2020-04-30 done",
      "2020-05-01 done",
      "2020-05-02 done before",
      "2020-05-03 done before",
      "2020-05-04 done before",
    ]);
    expect(resumed.report.backfill_id).toBe(stopped.report.backfill_id);
    expect(resumed.report.resumed_from).not.toBeNull();
    const again = await backfilled(settings, request);
    expect(again.report.resumed_from).toBeNull();
    expect(states(again)).toHaveLength(5);
  });

  it("resumes with a date that was only curated meanwhile, and skips one that has run", async () => {
    const { settings } = await workspaceOf();
    const request = { from: parseExecutionDate("2020-05-01"), only: "all", order: "newest-first" } as const;
    const early = voucher({ timestamp: "2020-04-25 00:00:00" });
    await putVouchers(settings.zones.raw, [voucher({ timestamp: "soon" })], "vouchers/broken.parquet");
    const stopped = await backfilled({ ...settings, maxRejectedShare: "0" }, request);
    expect(states(stopped)).toContain("2020-05-04 failed");
    await putVouchers(settings.zones.raw, [early], "vouchers/broken.parquet");
    await run(settings, "2020-05-01", ["curate"]);
    await run(settings, "2020-05-03");
    await run(settings, "2020-05-04", ["curate"]);
    expect(states(await backfilled(settings, request))).toEqual([
      "2020-05-01 done",
      "2020-05-02 done",
      "2020-05-03 done before",
      "2020-05-04 done",
    ]);
  });

  it("runs a date whose last whole run failed, even if it was curated since", async () => {
    const { settings } = await workspaceOf();
    await run({ ...settings, maxRejectedShare: "0" }, "2020-05-03").catch(() => undefined);
    await run(settings, "2020-05-03", ["curate"]);
    expect(states(await backfilled(settings, { only: "failed" }))).toEqual(["2020-05-03 done"]);
    expect(states(await backfilled(settings, { only: "failed" }))).toEqual([]);
  });

  it("starts over on request", async () => {
    const { settings } = await workspaceOf();
    const request = { from: parseExecutionDate("2020-05-01"), only: "all", continueOnError: true } as const;
    await backfilled(settings, request);
    expect(states(await backfilled(settings, { ...request, anew: true }))).toEqual([
      "2020-05-01 failed",
      "2020-05-02 done",
      "2020-05-03 done",
      "2020-05-04 done",
    ]);
  });

  it("runs the other dates if it may continue after an error, then those whose last run failed", async () => {
    const { settings, environment } = await workspaceOf();
    const command = ["backfill", "--from", "2020-05-01", "--to", "2020-05-03", "--json"];
    const { code, stdout, stderr } = await pipeline([...command, "--continue-on-error"], {
      ...environment,
      MAX_REJECTED_SHARE: "1",
    });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      dates: [{ state: "failed", error_code: "AUDIT_FAILED" }, { state: "done" }, { state: "done" }],
    });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "AUDIT_FAILED", exit_code: 3 } });
    const failed = await backfilled(settings, { from: parseExecutionDate("2020-05-01"), only: "failed" });
    expect(states(failed)).toEqual(["2020-05-01 failed"]);
  });

  it("runs the dates whose raw files have changed", async () => {
    const { settings } = await workspaceOf();
    await backfilled(settings);
    await putVouchers(settings.zones.raw, [...VOUCHERS, voucher({ timestamp: "2020-05-02T01:00:00Z" })]);
    await run(settings, "2020-05-03");
    expect(states(await backfilled(settings, { only: "stale" }))).toEqual([
      "2020-05-02 done",
      "2020-05-04 done",
    ]);
  });

  it("leaves everything whole after a cancel, and resumes afterwards", async () => {
    const { settings } = await workspaceOf();
    const controller = new AbortController();
    const activity = new BackfillActivity();
    const watch = setInterval(() => {
      if (activity.dates.some(({ state }) => state === "done")) controller.abort();
    }, 1);
    const cancelled = await backfilled(settings, {}, controller.signal, activity).finally(() => {
      clearInterval(watch);
    });
    expect(cancelled.fault).toMatchObject({
      code: "CANCELLED",
      message: expect.stringContaining("of 3 dates"),
    });
    expect(states(cancelled)).toContain("2020-05-04 waiting");
    const resumed = await backfilled(settings);
    expect(states(resumed)).toContain("2020-05-02 done before");
    expect(states(resumed)).toContain("2020-05-04 done");
  });

  it("is finished if the cancel comes too late, when its last date is done", async () => {
    const { settings } = await workspaceOf();
    const controller = new AbortController();
    const activity = new BackfillActivity();
    const note = activity.note.bind(activity);
    activity.note = (date, findings) => {
      note(date, findings);
      if (activity.dates.every(({ state }) => state === "done")) controller.abort();
    };
    expect((await backfilled(settings, {}, controller.signal, activity)).fault).toBeUndefined();
    expect(controller.signal.aborted).toBe(true);
    const again = await backfilled(settings, { only: "all" });
    expect(again.report.resumed_from).toBeNull();
  });

  it("ends with the fault that stops every date, and changes nothing", async () => {
    const { settings } = await makeWorkspace();
    await expect(backfilled(settings)).rejects.toMatchObject({ code: "RAW_ZONE_EMPTY" });
    expect(await zonesOf(settings)).toEqual([{}, {}]);
  });

  it("does not start next to another one", async () => {
    const { settings } = await workspaceOf();
    const consumption = await openConsumption(settings.consumptionUrl);
    try {
      await consumption.tryLocked("backfill", async () => {
        await expect(backfilled(settings)).rejects.toMatchObject({ code: "LOCK_HELD" });
      });
    } finally {
      await consumption.close();
    }
  });

  it("shows people the result of each date", async () => {
    const { environment } = await workspaceOf();
    const { code, stdout } = await pipeline(["backfill", "--from", "2020-05-02", "--to", "2020-05-03"], {
      ...environment,
      MAX_REJECTED_SHARE: "1",
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^backfill from 2020-05-02T00:00:00Z to 2020-05-03T00:00:00Z, missing: 2 of 2 dates done, in .* s\n\n/,
    );
    expect(stdout).toMatch(
      /\n2020-05-03T00:00:00Z +done +new data +0 +0 +0 +2 +\d+ +\d+\.\d +2020-05-03T000000-[0-9a-f]+\n$/,
    );
  });

  it.each([
    ["a range that ends before it begins", ["--from", "2020-05-03", "--to", "2020-05-02"]],
    ["a range that no backfill has", ["--from", "1900-01-01", "--to", "2020-05-02"]],
    ["no date at the same time", ["--from", "2020-05-02", "--to", "2020-05-03", "--max-parallel", "0"]],
    ["no end", ["--from", "2020-05-02"]],
  ])("refuses %s", async (_what, options) => {
    const { environment } = await makeWorkspace();
    expect((await pipeline(["backfill", ...options], environment)).code).toBe(2);
  });
});
