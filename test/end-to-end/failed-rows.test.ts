import { describe, expect, it } from "@jest/globals";
import type { InspectionReport } from "../../src/introspect/inspect.js";
import { pipeline } from "../cli/warm-command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run, runOver } from "../run/running.js";
import { getFile, putFile } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";
import { HEADER, LINE } from "./failing.js";

/** As BigQuery writes moments into CSV. */
const UTC_LINE = "2020-05-01 00:00:00 UTC,Peru,2020-04-20,,7,2640";

async function workspaceOf(...lines: readonly string[]): Promise<Workspace> {
  const workspace = await makeWorkspace();
  const content = [HEADER, ...lines, ""].join("\n");
  await putFile(workspace.settings.zones.raw, "vouchers/x.csv", content);
  return workspace;
}

const REASON = {
  reason: "timestamp_invalid",
  rejected: 3,
  example: "2020-05-01 00:00:00 UTC",
  source_file: "vouchers/x.csv",
};
const TABLE = / {2}timestamp_invalid +3 +"2020-05-01 00:00:00 UTC" +vouchers\/x\.csv/;

describe("a run whose rows are all rejected", () => {
  it("shows the reason with an example and its file, in the error, its JSON and its report, and so do rejected and inspect", async () => {
    const { environment, settings } = await workspaceOf(...times(3, UTC_LINE));
    const failed = await pipeline(["-e", EXECUTION_DATE, "--json"], environment);
    expect(failed.code).toBe(3);
    const { error } = JSON.parse(failed.stderr) as { error: { message: string; report: string } };
    expect(error).toMatchObject({
      code: "AUDIT_FAILED",
      rows: { rows_read: 3, rejected: 3, out_of_scope: 0, curated: 0, reasons: [REASON] },
    });
    expect(error.message).toMatch(/not_empty[^]*3 rows read: 3 rejected, 0 out of scope, 0 curated\n/);
    expect(error.message).toMatch(TABLE);
    expect(error.message).toMatch(/\nCorrect these values in the raw files/);

    const markdown = error.report.replace(/.*\/(.*)\.html$/, "$1.md");
    expect((await getFile(settings.runReports, markdown)).toString()).toContain(
      '| `timestamp_invalid` | 3 | 100% | "2020-05-01 00:00:00 UTC" | vouchers/x.csv |',
    );
    const rejected = await pipeline(["rejected", "-e", EXECUTION_DATE], environment);
    expect(rejected).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^the last run for 2020-05-29T00:00:00Z, .*, failed with AUDIT_FAILED\./),
    });
    expect(rejected.stdout).toMatch(/timestamp_invalid +Peru +3 +2020-05-01 00:00:00 UTC +vouchers\/x\.csv/);
    const inspected = await pipeline(["inspect"], environment);
    expect(inspected.stdout).toMatch(
      /^rows rejected by a run: 3 of 3\. This exceeds MAX_REJECTED_SHARE; a run would fail$/m,
    );
    expect(inspected.stdout).toMatch(TABLE);
    expect(inspected.code).toBe(0);
  });
});

describe("a run with too many rejected rows", () => {
  it("shows the number, the reasons, and the setting that allows more", async () => {
    const { settings } = await workspaceOf(LINE, ...times(3, UTC_LINE));
    await expect(run(settings)).rejects.toMatchObject({
      code: "AUDIT_FAILED",
      message: expect.stringMatching(
        /rejected_share_is_allowed[^]*4 rows read: 3 rejected, 0 out of scope, 1 curated\n[^]*MAX_REJECTED_SHARE \(now 0\.5\)/,
      ),
      details: { rows: expect.objectContaining({ reasons: [REASON] }) },
    });
  });

  it("keeps its findings in rejected, until a later run succeeds", async () => {
    const { settings, environment } = await runOver([voucher(), voucher({ total_orders: "some" })]);
    await putVouchers(settings.zones.raw, [voucher(), ...times(3, voucher({ voucher_amount: "free" }))]);
    await run(settings).catch(() => undefined);
    const rejected = async () => {
      const { stdout } = await pipeline(["rejected", "-e", EXECUTION_DATE, "--json"], environment);
      return JSON.parse(stdout) as object;
    };
    expect(await rejected()).toMatchObject({
      failed_run: { outcome: "failed", error_code: "AUDIT_FAILED" },
      measures: {
        "measures.rejected_by_reason": [{ reject_reason: "voucher_amount_invalid", rejected: "3" }],
      },
      rejected: 3,
      rows: [],
    });
    await run({ ...settings, maxRejectedShare: "1" });
    expect(await rejected()).toMatchObject({ failed_run: null, rejected: 3, rows: expect.any(Array) });
  });
});

describe("a run whose rows are all later than the execution date", () => {
  it("reports that they are out of scope, and their first and last time", async () => {
    const { settings } = await workspaceOf(LINE, LINE.replace("2020-05-01", "2020-05-28"));
    await expect(run(settings, "2019-01-01")).rejects.toMatchObject({
      code: "AUDIT_FAILED",
      message: expect.stringMatching(
        /2 rows read: 0 rejected, 2 out of scope, 0 curated\nAll rows are out of scope: .* later than the execution date 2019-01-01T00:00:00Z\.[^]*first_voucher +last_voucher\n.*2020-05-01 00:00:00 +2020-05-28 00:00:00/,
      ),
    });
  });
});

describe("a run of raw files without rows", () => {
  it("reports that there are none", async () => {
    const { settings } = await workspaceOf();
    await expect(run(settings)).rejects.toMatchObject({
      code: "AUDIT_FAILED",
      message: expect.stringContaining("The raw files hold no rows. Check the delivery."),
    });
  });
});

describe("pipeline inspect", () => {
  it("gives an example of each reason, even if few rows of many countries have it", async () => {
    const { environment, settings } = await makeWorkspace();
    const countries = Array.from({ length: 25 }, (_, index) => `Country ${index.toString()}`);
    const many = countries.flatMap((country_code) =>
      times(2, voucher({ country_code, voucher_amount: "free" })),
    );
    await putVouchers(settings.zones.raw, [
      ...many,
      voucher({ total_orders: "some" }),
      ...times(60, voucher()),
    ]);
    const { stdout } = await pipeline(["inspect", "--json"], environment);
    expect((JSON.parse(stdout) as InspectionReport).rejected).toEqual({
      rows_read: 111,
      rejected: 51,
      is_too_many: false,
      reasons: [
        expect.objectContaining({ reason: "voucher_amount_invalid", rejected: 50, example: "free" }),
        {
          reason: "total_orders_invalid",
          rejected: 1,
          example: "some",
          source_file: "vouchers/part.parquet",
        },
      ],
    });
  });
});
