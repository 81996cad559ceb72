import { existsSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { openConsumption } from "../../src/consumption/open-consumption.js";
import {
  readWithdrawals,
  restore as restoreIn,
  withdraw as withdrawIn,
} from "../../src/consumption/publication-withdrawals.js";
import { readStatus } from "../../src/introspect/status.js";
import type { PastRun } from "../../src/record/past-run.js";
import { withdrawPublication } from "../../src/run/withdraw.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { ask, askForVoucher, startApi } from "../api/process.js";
import { start, type Ended } from "../cli/command.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { until } from "../until.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

const WHY = "the feed of Peru was cut short";
/** As docs/operating.md tells other services to read. */
const NEWEST_ANSWERS =
  "SELECT v.voucher_amount FROM voucher_frequent_most_used v " +
  "JOIN (SELECT max(execution_date) AS newest FROM publications) p ON p.newest = v.execution_date " +
  "WHERE v.country_code = 'Peru'";
const ADDRESS = "/v1/vouchers/most-used?country_code=Peru&segment_name=frequent_segment&total_orders=7";

/** Two publications: 1000 is the voucher of 28 May, 2640 that of 29 May. */
let workspace: Workspace;

async function publishTwice(): Promise<void> {
  workspace = await runOver(times(3, voucher({ voucher_amount: "1000" })), "2020-05-28");
  await putVouchers(workspace.settings.zones.raw, times(4, voucher({ voucher_amount: "2640" })));
  await run(workspace.settings, "2020-05-29");
}

function withdraw(date = "2020-05-29", ...options: string[]): Promise<Ended> {
  return pipeline(["withdraw", "-e", date, "--why", WHY, ...options], workspace.environment);
}

function restore(date = "2020-05-29", ...options: string[]): Promise<Ended> {
  return pipeline(["restore", "-e", date, ...options], workspace.environment);
}

describe("withdrawals in the same millisecond", () => {
  it("are each recorded, and each can be repeated", async () => {
    await publishTwice();
    const consumption = await openConsumption(workspace.settings.consumptionUrl);
    const date = parseExecutionDate("2020-05-29");
    const now = "2026-01-01T00:00:00.999Z";
    const reason = { withdrawn_at: now, withdrawn_by: "ann", why: WHY };
    for (let time = 0; time < 3; time += 1) {
      const { withdrawal } = await withdrawIn(consumption, date, reason);
      expect((await withdrawIn(consumption, date, reason)).withdrawal).toMatchObject({
        withdrawn_at: withdrawal.withdrawn_at,
      });
      await restoreIn(consumption, date, { ended_at: now, ended_by: "ann" });
    }
    expect((await readWithdrawals(consumption)).map(({ withdrawn_at }) => withdrawn_at)).toEqual([
      "2026-01-01T00:00:01.001Z",
      "2026-01-01T00:00:01.000Z",
      now,
    ]);
    await consumption.close();
  });
});

/** What another service reads. */
async function newestAnswers(): Promise<unknown[]> {
  const rows = (await readTable(workspace.settings, NEWEST_ANSWERS)) as { voucher_amount: number }[];
  return rows.map(({ voucher_amount }) => voucher_amount);
}

// Each test leaves both dates published, and readers with 2640.
beforeAll(publishTwice);

describe("pipeline withdraw", () => {
  afterEach(async () => {
    expect(await newestAnswers()).toEqual([2640]);
  });

  it("shows every reader the previous publication, and restore shows them the withdrawn one again", async () => {
    const api = startApi({ ...workspace.environment, API_REFRESH_SECONDS: "1" });
    const answer = async () => (await askForVoucher(api)).text();
    await until(async () => (await answer()) === '{"voucher_amount":2640}');
    const tag = (await ask(api, ADDRESS)).headers.get("etag");

    expect(await withdraw()).toMatchObject({
      code: 0,
      stdout: "2020-05-29T00:00:00Z is withdrawn; readers now see 2020-05-28T00:00:00Z\n",
    });
    expect(await newestAnswers()).toEqual([1000]);
    await until(async () => (await answer()) === '{"voucher_amount":1000}');
    expect(await (await ask(api, "/v1/publications")).json()).toMatchObject({
      publications: [{ execution_date: "2020-05-28T00:00:00Z" }],
    });
    expect((await ask(api, `${ADDRESS}&execution_date=2020-05-29`)).status).toBe(404);
    expect((await ask(api, ADDRESS)).headers.get("etag")).not.toBe(tag);
    expect((await pipeline(["diff"], workspace.environment)).stdout).toContain(
      "2020-05-28T00:00:00Z is the first publication",
    );

    expect(await restore()).toMatchObject({
      code: 0,
      stdout: "2020-05-29T00:00:00Z is restored; readers now see 2020-05-29T00:00:00Z\n",
    });
    expect(await newestAnswers()).toEqual([2640]);
    await until(async () => (await answer()) === '{"voucher_amount":2640}');
    expect((await ask(api, ADDRESS)).headers.get("etag")).toBe(tag);
  });

  it("leaves in the history the author, the time and the reason, each time", async () => {
    const { settings, environment } = workspace;
    const { withdrawn_at, withdrawn_by, run_id, ...first } = JSON.parse(
      (await withdraw("2020-05-29", "--json")).stdout,
    ) as Record<string, string>;
    expect(first).toMatchObject({ why: WHY, outcome: "withdrawn", newest: "2020-05-28T00:00:00Z" });
    expect(withdrawn_by).toMatch(/^\S.*@.* process \d+$/);
    expect((await pipeline(["status"], environment)).stdout).toContain(
      `withdrawn: 1\n  2020-05-29T00:00:00Z: by ${String(withdrawn_by)} at ${String(withdrawn_at)}: ${WHY}\n`,
    );
    const request = { from: undefined, to: undefined, maxAgeDays: undefined, now: new Date() };
    expect(await readStatus(settings, request)).toMatchObject({
      newest: { execution_date: "2020-05-28T00:00:00Z" },
      range: { to: "2020-05-28" },
      missing: [],
      withdrawn: [{ execution_date: "2020-05-29T00:00:00Z", withdrawn_at, withdrawn_by, why: WHY }],
      healthy: false,
    });
    await restore();
    await withdraw();
    const { withdrawals } = JSON.parse(
      (await pipeline(["runs", String(run_id), "--json"], environment)).stdout,
    ) as PastRun;
    expect(withdrawals.slice(0, 2)).toMatchObject([
      { why: WHY, outcome: "withdrawn", ended_at: null },
      {
        why: WHY,
        outcome: "restored",
        ended_at: expect.stringMatching(/Z$/),
        ended_by: expect.stringMatching(/@/),
      },
    ]);
    expect((await pipeline(["runs", String(run_id)], environment)).stdout).toMatch(
      /Withdrawals\n(.*\n)+.*the feed of Peru was cut short +restored/,
    );
    await restore();
  });

  it("reports if no publication is left, and withdraws an older one than the newest", async () => {
    await withdraw("2020-05-28");
    expect(await newestAnswers()).toEqual([2640]);
    expect((await withdraw()).stdout).toBe(
      "2020-05-29T00:00:00Z is withdrawn; no other publication exists, so readers have no answers\n",
    );
    const api = startApi(workspace.environment);
    const response = await askForVoucher(api);
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringContaining("no-publication"),
    ]);
    expect((await restore("2020-05-28")).stdout).toContain("readers now see 2020-05-28T00:00:00Z");
    await restore();
  });

  it("runs once if two processes do it at the same time", async () => {
    const date = parseExecutionDate("2020-05-29");
    const done = await Promise.allSettled([
      withdrawPublication(workspace.settings, date, "one"),
      withdrawPublication(workspace.settings, date, "other"),
    ]);
    expect(done.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(done.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "PUBLICATION_MISSING", message: expect.stringContaining("is already withdrawn") },
    });
    const held = "SELECT why FROM withdrawals WHERE outcome = 'withdrawn'";
    expect(await readTable(workspace.settings, held)).toHaveLength(1);
    await restore();
  });

  it("runs fully or not at all if it is killed, and so does restore", async () => {
    const killedAt = async (point: string, args: readonly string[]) => {
      const command = start(args, { ...workspace.environment, TEST_FAILPOINT: point });
      await command.stoodAt(point);
      command.kill("SIGKILL");
      await command.ended;
    };
    await killedAt("withdraw: withdrawal written", ["withdraw", "-e", "2020-05-29", "--why", WHY]);
    expect(await newestAnswers()).toEqual([2640]);
    expect((await withdraw()).code).toBe(0);
    await killedAt("restore: withdrawal ended", ["restore", "-e", "2020-05-29"]);
    expect(await newestAnswers()).toEqual([1000]);
    expect((await restore()).code).toBe(0);
  });

  it("works on the database of an earlier version, which is read without changes", async () => {
    const { settings, environment } = workspace;
    await readTable(settings, "DROP TABLE withdrawals");
    await readTable(settings, "DROP TABLE run_order");
    await readTable(settings, "DELETE FROM kysely_migration WHERE name >= '0003'");
    expect((await pipeline(["status"], environment)).stdout).toContain("newest publication: 2020-05-29");
    expect((await pipeline(["runs"], environment)).code).toBe(0);
    expect((await withdraw()).code).toBe(0);
    expect(await newestAnswers()).toEqual([1000]);
    await restore();
  });
});

describe("a publication without a withdrawal or restore", () => {
  it.each<[string, string[], number, string]>([
    ["a date that is not published", ["withdraw", "-e", "2020-05-01", "--why", WHY], 3, "is not published"],
    [
      "a date for a reason that says nothing",
      ["withdraw", "-e", "2020-05-29", "--why", "  "],
      2,
      "--why must not be empty",
    ],
    ["a date without a reason", ["withdraw", "-e", "2020-05-29"], 2, "why"],
    [
      "a date that was not withdrawn",
      ["restore", "-e", "2020-05-29"],
      3,
      "2020-05-29T00:00:00Z is not withdrawn",
    ],
    [
      "a date that was never published",
      ["restore", "-e", "2020-05-01"],
      3,
      "is neither withdrawn nor published",
    ],
  ])("is %s", async (_what, args, code, message) => {
    const ended = await pipeline(args, workspace.environment);
    expect(ended).toMatchObject({ code, stderr: expect.stringContaining(message) });
    expect(await newestAnswers()).toEqual([2640]);
  });

  it("is a missing database, and none is created", async () => {
    const { environment, folder } = await makeWorkspace();
    expect(await pipeline(["withdraw", "-e", "2020-05-29", "--why", WHY], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("PUBLICATION_MISSING"),
    });
    expect(existsSync(`${folder}/consumption.db`)).toBe(false);
  });
});

describe("a withdrawal", () => {
  beforeAll(publishTwice);

  it("holds when the same data is published again, until other data is", async () => {
    const { settings, environment } = workspace;
    await withdraw();
    const again = await pipeline(["-e", "2020-05-29"], environment);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        "The voucher answers for 29 May 2020 are the same that were withdrawn. They stay withdrawn, so nobody gets them.",
      ),
      stderr: expect.stringMatching(
        /readers do not see 2020-05-29T00:00:00Z: .*pipeline restore -e 2020-05-29/,
      ),
    });
    expect(await newestAnswers()).toEqual([1000]);

    await putVouchers(settings.zones.raw, times(5, voucher({ voucher_amount: "3520" })));
    const report = await run(settings, "2020-05-29");
    expect(report).toMatchObject({ published: { isNew: true, withdrawn: null }, warnings: [] });
    expect(await newestAnswers()).toEqual([3520]);
    expect(await restore()).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("PUBLICATION_MISSING: 2020-05-29T00:00:00Z is not withdrawn"),
    });
    expect(await readTable(settings, "SELECT outcome, ended_by FROM withdrawals")).toEqual([
      { outcome: "replaced", ended_by: report.run_id },
    ]);
  });
});
