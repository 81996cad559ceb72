import { describe, expect, it } from "@jest/globals";
import { STAGES } from "../../src/record/stages.js";
import { start } from "../cli/command.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { listFiles, putFile, removeFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";
import { expectFailure, goodWorkspace, HEADER, visible, withSql } from "./failing.js";

describe("the audits", () => {
  it("stop a run without curated rows", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, times(4, voucher({ timestamp: "2021-01-01" })));
    await expectFailure(workspace, "AUDIT_FAILED", ["curated.vouchers", "not_empty"]);
  });

  it("stop a run over files without rows", async () => {
    const workspace = await goodWorkspace();
    await removeFile(workspace.raw, "part.parquet");
    await putFile(workspace.raw, "none.csv", `${HEADER}\n`);
    await expectFailure(workspace, "AUDIT_FAILED", ["not_empty"]);
  });

  it("stop a run with more rejected rows than allowed, and show the share", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [
      ...times(2, voucher()),
      ...times(3, voucher({ voucher_amount: "free" })),
    ]);
    await expectFailure(workspace, "AUDIT_FAILED", [
      "rejected_share_is_allowed",
      "MAX_REJECTED_SHARE",
      "0.6",
    ]);
  });

  it("record the failure with its code and message", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ timestamp: "2021-01-01" })]);
    await expectFailure(workspace, "AUDIT_FAILED", []);
    const [row] = await readTable(
      workspace.settings,
      "SELECT * FROM pipeline_runs ORDER BY started_at DESC LIMIT 1",
    );
    expect(row).toMatchObject({
      outcome: "failed",
      error_code: "AUDIT_FAILED",
      error_message: expect.stringContaining("not_empty"),
    });
  });
});

describe("a broken partition of an earlier run", () => {
  it("is named by the stage that reads it, with the way to make it again", async () => {
    const workspace = await goodWorkspace();
    const { settings } = workspace;
    const curated = "vouchers/execution_date=2020-05-29T000000/data.parquet";
    await putFile(settings.zones.curated, curated, "broken");
    await expect(run(settings, EXECUTION_DATE, ["aggregate"])).rejects.toMatchObject({
      code: "PARTITION_MISSING",
      message: expect.stringMatching(`cannot read .*${curated}: `),
    });
    const provision = "voucher_amount_usage/execution_date=2020-05-29T000000/data.parquet";
    await putFile(settings.zones.provision, provision, "broken");
    await expect(run(settings, EXECUTION_DATE, ["publish"])).rejects.toMatchObject({
      code: "PARTITION_MISSING",
      message: expect.stringContaining("pipeline aggregate -e"),
    });
  });
});

describe("the consumption database", () => {
  it("with a foreign table without its key is refused, and stays the same", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ voucher_amount: "1" })]);
    await readTable(workspace.settings, "DROP TABLE voucher_recency_most_used");
    await readTable(
      workspace.settings,
      `CREATE TABLE voucher_recency_most_used
       (country_code varchar(9), recency_segment varchar(9), voucher_amount int, execution_date varchar(17))`,
    );
    await expectFailure({ ...workspace, before: await visible(workspace) }, "CONSUMPTION_TABLE_DIFFERS", [
      "voucher_recency_most_used",
      "the key is none instead of execution_date, country_code, recency_segment",
    ]);
  });

  it("whose table has other columns stops the run, and the zones stay the same", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ voucher_amount: "1" })]);
    await readTable(workspace.settings, "ALTER TABLE voucher_recency_most_used ADD COLUMN note text");
    await expectFailure({ ...workspace, before: await visible(workspace) }, "CONSUMPTION_TABLE_DIFFERS", [
      "the model has no column note",
      "npx pipeline rebuild voucher_recency_most_used",
    ]);
  });
});

describe("the SQL", () => {
  const header = (columns: string) =>
    `/*\ndescription: A test\ncolumns:\n${columns}\n  execution_date: { type: VARCHAR, description: The date }\n*/\n`;
  const number = "  number: { type: INTEGER, description: A number }";

  it.each([
    [
      "reads another file",
      "SELECT 1 AS number, content AS execution_date FROM read_text('/etc/hostname') ORDER BY ALL",
      "MODEL_FAILED",
    ],
    [
      "sets an option",
      "SELECT 1 AS number, current_setting('no_such') AS execution_date ORDER BY ALL",
      "MODEL_FAILED",
    ],
    [
      "gives other columns than it says",
      "SELECT 'x' AS number, {{ partition_key }} AS execution_date ORDER BY ALL",
      "AUDIT_FAILED",
    ],
    [
      "has a fault",
      "SELECT nmber AS number, {{ partition_key }} AS execution_date ORDER BY ALL",
      "MODEL_FAILED",
    ],
  ])("of a model that %s stops the run, and the message names the file", async (_fault, select, code) => {
    const { workspace, settings } = await withSql({ "provision/extra.sql": header(number) + select });
    await expectFailure(workspace, code, ["extra"], settings);
  });

  it("has the line of the engine's fault in the message", async () => {
    const select = "SELECT\n  1 AS number,\n  nothing AS execution_date\nORDER BY ALL";
    const { workspace, settings } = await withSql({ "provision/extra.sql": header(number) + select });
    await expectFailure(workspace, "MODEL_FAILED", ["sql/v1/provision/extra.sql", "LINE 9"], settings);
  });
});

describe("two runs", () => {
  it("of the same date exclude each other, and the message names the first one", async () => {
    const workspace = await goodWorkspace();
    const outcomes = await Promise.allSettled([run(workspace.settings), run(workspace.settings)]);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatchObject({
      code: "LOCK_HELD",
      message: expect.stringContaining("since 20"),
    });
    expect(await visible(workspace)).toEqual(workspace.before);
  });

  it("of the same date run one after the other if the second waits", async () => {
    const { settings } = await goodWorkspace();
    const waiting = { waitMilliseconds: 30_000 };
    const runs = [1, 2].map(() => run(settings, EXECUTION_DATE, STAGES, waiting));
    await Promise.all(runs);
    expect(
      await readTable(settings, "SELECT outcome FROM pipeline_runs WHERE outcome = 'succeeded'"),
    ).toHaveLength(3);
  });

  it("of the same date exclude each other even if the first takes longer than the second waits", async () => {
    const { settings, environment } = await goodWorkspace();
    const first = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: "all prepared" });
    await first.stoodAt("all prepared");
    const second = await pipeline(["-e", EXECUTION_DATE, "--wait", "2s"], environment);
    expect(second).toMatchObject({ code: 5, stderr: expect.stringContaining("did not end within 2 s") });
    first.kill("SIGCONT");
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await readTable(settings, "SELECT execution_date FROM publications")).toHaveLength(1);
  });

  it("of different dates create a missing database together", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const dates = ["2020-05-25", "2020-05-26", "2020-05-27", "2020-05-28", "2020-05-29"];
    await Promise.all(dates.map((date) => run(settings, date)));
    expect(await readTable(settings, "SELECT execution_date FROM publications")).toHaveLength(dates.length);
  });

  it("of different dates run in parallel", async () => {
    const workspace = await goodWorkspace();
    await Promise.all([run(workspace.settings, "2020-05-30"), run(workspace.settings, "2020-05-31")]);
    const dates = await readTable(workspace.settings, "SELECT execution_date FROM publications ORDER BY 1");
    expect(dates).toHaveLength(3);
  });
});

describe("partitions with some files of a killed run", () => {
  async function halfCommitted() {
    const workspace = await goodWorkspace();
    const { settings, environment } = workspace;
    await putVouchers(settings.zones.raw, times(4, voucher({ voucher_amount: "1" })));
    const killed = start(["-e", EXECUTION_DATE], {
      ...environment,
      TEST_FAILPOINT: "all committed",
    });
    await killed.stoodAt("all committed");
    killed.kill("SIGKILL");
    await killed.ended;
    return workspace;
  }

  it.each([["aggregate"], ["publish"]] as const)("are refused by a single %s", async (stage) => {
    const { environment, settings, before } = await halfCommitted();
    expect(await pipeline([stage, "-e", EXECUTION_DATE, "--wait", "5s"], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error PARTITION_DIFFERS: .*pipeline run -e 2020-05-29T00:00:00Z/),
    });
    expect(await visible({ settings })).toMatchObject({
      consumption: (before as { consumption: object }).consumption,
    });
  });

  it("are refused by a single publish however often it is tried", async () => {
    const { settings } = await halfCommitted();
    // As 200 tries would have left them.
    for (let index = 0; index < 200; index += 1) {
      await readTable(
        settings,
        `INSERT INTO pipeline_runs (run_id, execution_date, stages, outcome, started_at, started_by, sql_version, sql_hash)
         SELECT 'try-${index.toString()}', execution_date, 'publish', 'failed', '2020-06-01T00:00:00.000Z', started_by,
         sql_version, sql_hash FROM pipeline_runs WHERE outcome = 'succeeded'`,
      );
    }
    await expect(
      run(settings, EXECUTION_DATE, ["publish"], { waitMilliseconds: 5_000 }),
    ).rejects.toMatchObject({ code: "PARTITION_DIFFERS" });
  });

  it("are made again by a whole run, after which each stage can run alone", async () => {
    const { settings } = await halfCommitted();
    await run(settings, EXECUTION_DATE, STAGES, { waitMilliseconds: 5_000 });
    await run(settings, EXECUTION_DATE, ["aggregate"]);
    expect((await run(settings, EXECUTION_DATE, ["publish"])).published).toMatchObject({ isNew: false });
  });
});

describe("the files that a killed run still writes, as a statement at a cluster does", () => {
  const LATE = "2020-05-29T000000-0123456789ab";
  const OTHER_DATE = "_staging/2020-05-28T000000-0123456789ab/kept/raw.vouchers/0/part-00000.parquet";

  /** Runs over a good workspace, lets a late writer write at some moment of the run, and gives the files at its end. */
  const filesAfter = async (
    moment: string,
    names: readonly string[],
    zonesOf: readonly ("curated" | "provision")[],
  ) => {
    const { environment, settings } = await goodWorkspace();
    const zones = zonesOf.map((name) => settings.zones[name]);
    const started = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: moment });
    await started.stoodAt(moment);
    for (const zone of zones) for (const name of names) await putFile(zone, name, "late");
    started.kill("SIGCONT");
    const { code, stderr } = await started.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: `failpoint ${moment}\n` });
    return (await Promise.all(zones.map(listFiles))).flat();
  };

  it("are gone after the next run, but not those of other dates", async () => {
    const files = await filesAfter(
      "raw files inspected",
      [
        `_staging/${LATE}/kept/raw.vouchers/0/_temporary/0/part-00000.parquet`,
        `_staging/${LATE}/vouchers/execution_date=2020-05-29T000000/part-00001.parquet`,
        OTHER_DATE,
      ],
      ["curated", "provision"],
    );
    expect(files.filter((name) => name.startsWith("_staging"))).toEqual([OTHER_DATE, OTHER_DATE]);
  });
});
