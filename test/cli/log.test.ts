import { beforeAll, describe, expect, it } from "@jest/globals";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { makeWorkspace, type Workspace } from "../workspace.js";
import { pipeline } from "./command.js";

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly run?: string;
  readonly execution_date?: string;
  readonly step?: string;
  readonly [field: string]: unknown;
}

/** In the raw files, and to be in no line of a log. */
const VALUE = "Unmistakable";
const RUN = ["-e", "2020-05-29"];

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, [
    ...times(3, voucher({ country_code: VALUE })),
    voucher({ total_orders: VALUE }),
  ]);
});

/** The lines of JSON among what was said; what else was said is not looked at. */
function linesOf(stderr: string): Line[] {
  return stderr
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
}

describe("--log-level", () => {
  it("logs a run only to standard error: each step with its time, its start and its end", async () => {
    const { code, stdout, stderr } = await pipeline([...RUN, "--log-level", "debug"], workspace.environment);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The voucher answers for 29 May 2020 are published\./);
    const lines = linesOf(stderr);
    expect(lines).toHaveLength(stderr.trimEnd().split("\n").length);
    const run = lines.find(({ msg }) => msg === "run begun")?.run;
    expect(run).toMatch(/^2020-05-29T000000-[0-9a-f]{12}$/);
    const ofRun = lines.filter(({ msg }) => msg !== "command ended");
    expect(ofRun.every((line) => line.run === run && line.execution_date === "2020-05-29T00:00:00Z")).toBe(
      true,
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 20,
        msg: "step ended",
        step: "curated.vouchers",
        seconds: expect.any(Number),
      }),
    );
    expect(ofRun.at(-1)).toMatchObject({
      level: 30,
      msg: "run ended",
      outcome: "succeeded",
      rows: { read: 4, rejected: 1, outOfScope: 0, curated: 3 },
      published: true,
    });
    expect(lines.at(-1)).toMatchObject({ msg: "command ended", exit_code: 0 });
    expect(stderr).not.toContain(VALUE);
  });

  it("logs by LOG_LEVEL the failure of a run, without the rows of its message", async () => {
    const { code, stderr } = await pipeline(RUN, {
      ...workspace.environment,
      LOG_LEVEL: "info",
      MAX_REJECTED_SHARE: "0.1",
    });
    expect(code).toBe(3);
    const lines = linesOf(stderr);
    expect(lines.map(({ level, msg, error_code }) => [level, msg, error_code])).toEqual([
      [30, "run begun", undefined],
      [50, "run ended", "AUDIT_FAILED"],
      [50, "command failed", "AUDIT_FAILED"],
    ]);
    expect(stderr).toMatch(/\nerror AUDIT_FAILED: /);
    expect(JSON.stringify(lines)).not.toContain(VALUE);
  });

  it("has warnings as lines, with their run, instead of the text", async () => {
    const { stderr } = await pipeline([...RUN, "--log-level", "warn"], {
      ...workspace.environment,
      RUN_REPORTS: "/dev/null/runs",
    });
    expect(linesOf(stderr)).toEqual([
      expect.objectContaining({
        level: 40,
        run: expect.any(String),
        msg: expect.stringMatching(/^the report of/),
      }),
    ]);
    expect(stderr).not.toContain("warning: ");
  });

  it("logs other commands, too, and a run with a time limit once", async () => {
    const status = await pipeline(["status", "--log-level", "debug"], workspace.environment);
    expect(linesOf(status.stderr)).toEqual([expect.objectContaining({ msg: "command ended", exit_code: 0 })]);
    const timed = await pipeline([...RUN, "--timeout", "10m", "--log-level", "debug"], workspace.environment);
    expect(linesOf(timed.stderr).filter(({ msg }) => msg === "command ended")).toHaveLength(1);
  });

  it("is silent by default, and refuses an invalid level", async () => {
    expect(await pipeline(["status"], workspace.environment)).toMatchObject({ code: 0, stderr: "" });
    expect(await pipeline(["status", "--log-level", "loud"], workspace.environment)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("log-level"),
    });
    expect(await pipeline(["status"], { ...workspace.environment, LOG_LEVEL: "loud" })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("LOG_LEVEL must be one of trace, debug, info, warn, error, silent"),
    });
  });
});

describe("--json", () => {
  it.each<[string[], object]>([
    [["sample", "--to-raw", "--json"], { files: [] }],
    [["docs", "--json"], { sql_version: "v1", models: expect.arrayContaining([expect.anything()]) }],
    [
      ["api-key", "crm", "--json"],
      { entry: { name: "crm", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    ],
  ])("makes %j print its result for programs", async (args, result) => {
    const { code, stdout } = await pipeline(args, workspace.environment);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject(result);
  });
});
