import { describe, expect, it } from "@jest/globals";
import { readHistory } from "../../src/introspect/history.js";
import type { Settings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/warm-command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { hashesOf } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

/** Two publications: one answer by orders and one by days is another on the second day, and one of each is new. */
async function twoPublications(): Promise<Workspace> {
  const workspace = await runOver(times(3, voucher({ voucher_amount: "1000" })), "2020-05-28");
  await putMore(workspace.settings);
  await run(workspace.settings, "2020-05-29");
  return workspace;
}

async function putMore(settings: Settings): Promise<void> {
  await putVouchers(settings.zones.raw, [
    ...times(4, voucher({ voucher_amount: "2640" })),
    voucher({ country_code: "Chile", voucher_amount: "70" }),
  ]);
}

describe("pipeline diff", () => {
  it("shows in words the answers that the newest publication changed, with their certainty and vouchers", async () => {
    const { environment } = await twoPublications();
    const { code, stdout } = await pipeline(["diff"], environment);
    expect(code).toBe(0);
    expect(stdout).toContain("4 of 4 answers differ between 2020-05-28T00:00:00Z and 2020-05-29T00:00:00Z\n");
    expect(stdout).toContain("  Peru · frequent 5-13: 1000 → 2640, likely (94.2%), on 4 vouchers\n");
    expect(stdout).toContain("  Chile · recency 30-60: no answer → 70, toss-up (50%), on 1 voucher\n");
    expect(stdout).toMatch(/^ +Peru +frequent_segment +5-13 +1000 +3 +3 +2640 +4 +4$/m);
  });

  it("compares any two, in both directions, and as JSON", async () => {
    const { environment } = await twoPublications();
    const { stdout } = await pipeline(["diff", "2020-05-29", "2020-05-28", "--json"], environment);
    const diff = JSON.parse(stdout) as { changes: { country_code: string }[] };
    expect(diff).toMatchObject({ before: "2020-05-29T00:00:00Z", after: "2020-05-28T00:00:00Z", answers: 2 });
    expect(diff.changes.find(({ country_code }) => country_code === "Chile")).toEqual({
      country_code: "Chile",
      segment_kind: "frequent_segment",
      segment: "5-13",
      before: {
        voucher_amount: 70,
        assignments: 1,
        segment_assignments: 1,
        certainty: 0.5,
        certainty_word: "toss-up",
      },
      after: null,
    });
  });

  it("has no comparison for the first publication", async () => {
    const { environment } = await runOver([voucher()]);
    expect((await pipeline(["diff"], environment)).stdout).toBe(
      "2020-05-29T00:00:00Z is the first publication; there is no earlier one to compare\n",
    );
  });

  it("ends with 3 if a date is not published, and if nothing is", async () => {
    const { environment } = await runOver([voucher()]);
    expect(await pipeline(["diff", "2020-05-01"], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("PUBLICATION_MISSING: 2020-05-01T00:00:00Z is not published"),
    });
    const { environment: empty } = await makeWorkspace();
    expect(await pipeline(["diff"], empty)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("PUBLICATION_MISSING: nothing is published;"),
    });
  });
});

describe("--max-changed", () => {
  it("stops a run that would change more answers: with 3, the answers in words, and everything as it was", async () => {
    const { settings, environment } = await runOver(
      times(3, voucher({ voucher_amount: "1000" })),
      "2020-05-28",
    );
    await putMore(settings);
    const before = await hashesOf(settings.zones.provision);
    const { code, stderr } = await pipeline(["-e", "2020-05-29", "--max-changed", "3"], environment);
    expect(code).toBe(3);
    expect(stderr).toContain(
      "TOO_MANY_CHANGES: 4 of 4 answers would change since 2020-05-28T00:00:00Z, the limit is 3; nothing was published",
    );
    expect(stderr).toContain("\n  Peru · frequent 5-13: 1000 → 2640, likely (94.2%), on 4 vouchers");
    expect(await hashesOf(settings.zones.provision)).toEqual(before);
    expect((await pipeline(["diff", "2020-05-29"], environment)).stderr).toContain("PUBLICATION_MISSING");
    const [failed] = await readHistory(settings, { limit: 1 });
    expect(failed).toMatchObject({
      error_code: "TOO_MANY_CHANGES",
      report: { gate: { outcome: "stopped", max_changed: 3, changes: { length: 4 } } },
    });
  });

  it("publishes with --approve, and the record has both", async () => {
    const { settings, environment } = await runOver(
      times(3, voucher({ voucher_amount: "1000" })),
      "2020-05-28",
    );
    await putMore(settings);
    const args = ["-e", "2020-05-29", "--max-changed", "3", "--approve"];
    const { code, stdout } = await pipeline(args, environment);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "4 of 4 answers changed since 28 May 2020. The limit is 3 (--max-changed): approved.\n",
    );
    const [approved] = await readHistory(settings, { limit: 1 });
    expect(approved?.report?.gate).toMatchObject({ outcome: "approved", changes: { length: 4 } });
  });

  it("allows the limit: as a number, and as a share of the previous answers", async () => {
    const { settings } = await runOver(times(3, voucher({ voucher_amount: "1000" })), "2020-05-28");
    await putMore(settings);
    const outcome = async (maxChanged: { answers: number } | { share: number }) => {
      const gate = { maxChanged, ignoresTossUps: false, isApproved: false };
      try {
        return (await run(settings, "2020-05-29", undefined, { gate })).gate?.outcome;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(await outcome({ share: 1.99 })).toBe("TOO_MANY_CHANGES");
    expect(await outcome({ answers: 3 })).toBe("TOO_MANY_CHANGES");
    expect(await outcome({ share: 2 })).toBe("passed");
    expect(await outcome({ answers: 0 })).toBe("passed");
  });

  it("does not count answers with --ignore-toss-ups that were toss-ups and still are: they change by chance", async () => {
    const { settings, environment } = await runOver([voucher({ voucher_amount: "1000" })], "2020-05-28");
    const tossUp = [...times(3, voucher({ voucher_amount: "1000" })), ...times(4, voucher())];
    const limit = ["--max-changed", "0", "--ignore-toss-ups"];
    await putVouchers(settings.zones.raw, tossUp);
    expect((await pipeline(["-e", "2020-05-29", ...limit], environment)).stdout).toContain(
      "2 of 2 answers changed since 28 May 2020. " +
        "The limit is 0 (--max-changed); 0 of these are not toss-ups: passed.\n",
    );
    await putVouchers(settings.zones.raw, [...tossUp, ...times(9, voucher({ voucher_amount: "5" }))]);
    const { code, stderr } = await pipeline(["-e", "2020-05-30"], {
      ...environment,
      MAX_CHANGED: "0",
      IGNORE_TOSS_UPS: "true",
    });
    expect(code).toBe(3);
    expect(stderr).toContain(
      "TOO_MANY_CHANGES: 2 of 2 answers would change since 2020-05-29T00:00:00Z, toss-ups not counted",
    );
    expect(stderr).toMatch(/\n {2}Peru · frequent 5-13: 2640 → 5, likely \(\d+(\.\d)?%\), on 16 vouchers\n/);
  });

  it("counts a sure answer that becomes a toss-up, such as after a truncated feed, and one that is gone", async () => {
    const sure = [...times(30, voucher()), ...times(30, voucher({ country_code: "Chile" }))];
    const { settings, environment } = await runOver(sure, "2020-05-28");
    await putVouchers(settings.zones.raw, [voucher({ voucher_amount: "5" })]);
    const args = ["-e", "2020-05-29", "--max-changed", "3", "--ignore-toss-ups"];
    const { code, stderr } = await pipeline(args, environment);
    expect(code).toBe(3);
    expect(stderr).toContain("TOO_MANY_CHANGES: 4 of 4 answers would change since 2020-05-28T00:00:00Z");
    expect((await pipeline([...args, "--approve"], environment)).stdout).toContain(
      "\n4 of 4 answers changed since 28 May 2020.",
    );
    expect((await pipeline(["diff"], environment)).stdout).toContain("4 of 4 answers differ between");
  });

  it("compares a published date with itself, and the first one with nothing", async () => {
    const { settings } = await runOver([voucher({ voucher_amount: "1000" })], "2020-05-28");
    await run(settings, "2020-05-29");
    await putVouchers(settings.zones.raw, [voucher({ voucher_amount: "5" })]);
    const gate = { maxChanged: { answers: 0 }, ignoresTossUps: false, isApproved: true };
    expect((await run(settings, "2020-05-29", undefined, { gate })).gate).toMatchObject({
      before: "2020-05-29T00:00:00Z",
      changes: { length: 2 },
    });
    expect((await run(settings, "2020-05-02", undefined, { gate })).gate).toMatchObject({
      before: null,
      outcome: "passed",
    });
  });

  it("applies to a single publish, too", async () => {
    const { settings, environment } = await runOver(
      times(3, voucher({ voucher_amount: "1000" })),
      "2020-05-28",
    );
    await putMore(settings);
    await run(settings, "2020-05-29", ["curate", "aggregate"]);
    expect(await pipeline(["publish", "-e", "2020-05-29", "--max-changed", "0"], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("TOO_MANY_CHANGES"),
    });
  });

  it.each(["x", "-1", "1.5", "101%", ""])("refuses %j", async (text) => {
    const { environment } = await makeWorkspace();
    const { code } = await pipeline(["-e", "2020-05-29", `--max-changed=${text}`], environment);
    expect(code).toBe(2);
  });

  it("is required for --approve", async () => {
    const { environment } = await makeWorkspace();
    expect(await pipeline(["-e", "2020-05-29", "--approve"], environment)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--approve needs --max-changed or MAX_CHANGED"),
    });
  });
});
