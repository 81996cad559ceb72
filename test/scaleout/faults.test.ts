import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, it } from "@jest/globals";
import { pipeline, start } from "../cli/command.js";
import { visible } from "../end-to-end/failing.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { startFaultyProxy } from "../services/s3/faulty-proxy.js";
import { hashesOf, listFiles } from "../storage.js";
import { until } from "../until.js";
import { makeFolder, makeWorkspace, type Workspace } from "../workspace.js";
import { startThriftServer, type ThriftServer } from "./cluster.mjs";
import { onCluster } from "./same.js";
import { executorsOfCluster, s3OfTests } from "./spark.js";

const RUN = ["run", "-e", "2020-05-29", "--json"];
/** A point of a run at which Spark has begun to work, and much is still to do. */
const MIDWAY = "raw.vouchers: built";
const TIMEOUT = 600_000;

/** Its client for S3 gives up at once. */
const IMPATIENT = {
  "spark.hadoop.fs.s3a.attempts.maximum": "1",
  "spark.hadoop.fs.s3a.retry.limit": "1",
  "spark.hadoop.fs.s3a.retry.throttle.limit": "1",
};

const own: ThriftServer[] = [];

afterAll(async () => {
  for (const server of own) await server.stop("SIGKILL");
});

let workspace: Workspace;
let before: object;

/** A publication by DuckDB, and then one voucher more. */
beforeEach(async () => {
  const good = await makeWorkspace();
  await putVouchers(good.settings.zones.raw, times(20, voucher()));
  await run(good.settings);
  before = await visible(good);
  await putVouchers(good.settings.zones.raw, times(30, voucher({ voucher_amount: "3520" })));
  workspace = onCluster(good);
}, TIMEOUT);

/** Expects the next run to do what the one that was disturbed did not, and to leave nothing of either in staging. */
async function expectNextRunWhole({ environment, settings }: Workspace): Promise<void> {
  const { code, stderr } = await pipeline(RUN, environment);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const left = [...(await listFiles(settings.zones.curated)), ...(await listFiles(settings.zones.provision))];
  expect(left.filter((name) => name.startsWith("_staging"))).toEqual([]);
  const provision = await hashesOf(settings.zones.provision);
  const undisturbed = await makeWorkspace();
  const zones = { ...undisturbed.settings.zones, raw: settings.zones.raw };
  await run({ ...undisturbed.settings, zones });
  expect(provision).toEqual(await hashesOf(zones.provision));
}

describe("a run on a cluster", () => {
  it(
    "continues when an executor is killed",
    async () => {
      const disturbed = start(RUN, { ...workspace.environment, TEST_FAILPOINT: MIDWAY });
      await disturbed.stoodAt(MIDWAY);
      const [executor] = await executorsOfCluster();
      expect(executor).toBeDefined();
      process.kill(Number(executor), "SIGKILL");
      disturbed.kill("SIGCONT");
      expect(await disturbed.ended).toMatchObject({ code: 0 });
    },
    TIMEOUT,
  );

  it(
    "that is killed changes nothing, and the next one is whole",
    async () => {
      const killed = start(RUN, { ...workspace.environment, TEST_FAILPOINT: "curated.vouchers: written" });
      await killed.stoodAt("curated.vouchers: written");
      killed.kill("SIGKILL");
      await killed.ended;
      const { curated } = workspace.settings.zones;
      const seen = await listFiles(curated);
      expect(seen.some((name) => name.startsWith("_staging"))).toBe(true);
      // Where readers look there is nothing new.
      expect(seen.filter((name) => !name.startsWith("_staging"))).toEqual([
        "vouchers/execution_date=2020-05-29T000000/data.parquet",
        "vouchers_rejected/execution_date=2020-05-29T000000/data.parquet",
      ]);
      // What the cluster was about goes on there for a moment.
      await sleep(5_000);
      await expectNextRunWhole(workspace);
    },
    TIMEOUT,
  );

  it(
    "that is interrupted ends with 130, cancels the work of the cluster, and leaves everything as it was",
    async () => {
      const interrupted = start(RUN, { ...workspace.environment, TEST_FAILPOINT: MIDWAY });
      await interrupted.stoodAt(MIDWAY);
      interrupted.kill("SIGINT");
      interrupted.kill("SIGCONT");
      expect(await interrupted.ended).toMatchObject({ code: 130 });
      expect(await visible(workspace)).toEqual(before);
    },
    TIMEOUT,
  );

  it(
    "whose server is killed ends with 4 and reports it, leaves everything as it was, and the next one is whole",
    async () => {
      const server = await startThriftServer({
        directory: path.join(await makeFolder(), "server"),
        s3: s3OfTests(),
      });
      own.push(server);
      const { environment } = onCluster(workspace, workspace, `spark://127.0.0.1:${server.port}`);
      const bereft = start(RUN, { ...environment, TEST_FAILPOINT: MIDWAY });
      await bereft.stoodAt(MIDWAY);
      await server.stop("SIGKILL");
      bereft.kill("SIGCONT");
      const { code, stderr } = await bereft.ended;
      expect({ code, error: JSON.parse(stderr.slice(stderr.indexOf("{"))) as unknown }).toMatchObject({
        code: 4,
        error: { error: { code: "ENGINE_UNAVAILABLE", exit_code: 4 } },
      });
      await until(async () => JSON.stringify(await visible(workspace)) === JSON.stringify(before));
      await expectNextRunWhole(workspace);
    },
    TIMEOUT,
  );

  it(
    "without a server ends with 4 before anything is built",
    async () => {
      const { environment } = onCluster(workspace, workspace, "spark://127.0.0.1:9");
      const { code, stderr } = await pipeline(RUN, environment);
      expect({ code, stderr }).toMatchObject({
        code: 4,
        stderr: expect.stringContaining("ENGINE_UNAVAILABLE"),
      });
      expect(await visible(workspace)).toEqual(before);
    },
    TIMEOUT,
  );

  describe.each([
    {
      what: "whose cluster S3 fails",
      fault: { status: 503, code: "SlowDown" },
      code: 4,
      fails: "STORAGE_FAILED",
    },
    {
      what: "whose cluster may not use S3",
      fault: { status: 403, code: "AccessDenied" },
      code: 2,
      fails: "ENGINE_NOT_USABLE",
    },
  ])("$what", ({ fault, code, fails }) => {
    let environment: Workspace["environment"];
    beforeEach(async () => {
      const server = await startThriftServer({
        directory: path.join(await makeFolder(), "server"),
        s3: { ...s3OfTests(), endpoint: await startFaultyProxy(() => fault) },
        properties: IMPATIENT,
      });
      own.push(server);
      ({ environment } = onCluster(workspace, workspace, `spark://127.0.0.1:${server.port}`));
    }, TIMEOUT);

    it(
      `ends with ${code.toString()} and says so, and leaves everything as it was; doctor says so, too`,
      async () => {
        const ended = await pipeline(RUN, environment);
        const told = JSON.parse(ended.stderr.slice(ended.stderr.indexOf("{"))) as unknown;
        expect({ code: ended.code, told }).toMatchObject({
          code,
          told: {
            error: {
              code: fails,
              message: expect.stringMatching(/Spark at .*: \w+ on s3a:\/\/.+;/) as unknown,
            },
          },
        });
        expect(await visible(workspace)).toEqual(before);
        const { stdout } = await pipeline(["doctor", "--json"], environment);
        expect(JSON.parse(stdout)).toMatchObject({
          checks: expect.arrayContaining([
            expect.objectContaining({ check: "spark", outcome: "failed", code: fails }),
          ]) as unknown,
        });
      },
      TIMEOUT,
    );
  });
});
