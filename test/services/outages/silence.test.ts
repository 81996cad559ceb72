import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createConnection } from "mysql2/promise";
import { ask, askForVoucher, startApi } from "../../api/process.js";
import { pipeline, start } from "../../cli/command.js";
import { EXECUTION_DATE } from "../../run/running.js";
import { until } from "../../until.js";
import { makeFolder } from "../../workspace.js";
import { ownDatabase, sampleIn } from "../own-servers.js";
import { makeLake, type Lake } from "./lake.js";
import { meetFault } from "./outage.js";
import { runUntil } from "./standing-still.js";

/** The api gives the database four; the rest is for a machine that is busy with other tests. */
const FEW_SECONDS = 8;
/** What waits for minutes is tried where all outages are asked for. */
const TAKES_LONG = process.env["OUTAGES"] === "all";

describe.each(["mysql", "mariadb"] as const)("%s", (kind) => {
  it("that is paused leaves the api its answers in memory, and other requests get an error in a few seconds", async () => {
    const server = await ownDatabase(kind, "db");
    const environment = { ...sampleIn(await makeFolder()), CONSUMPTION_URL: server.url };
    await pipeline(["-e", EXECUTION_DATE], environment);
    const api = startApi({ ...environment, PORT: "0", API_STALE_SECONDS: "3" });
    const timed = async (asking: () => Promise<Response>) => {
      const begun = performance.now();
      const { status } = await asking();
      return { status, isQuick: performance.now() - begun < FEW_SECONDS * 1_000 };
    };
    const often = (asking: () => Promise<Response>) =>
      Promise.all(Array.from({ length: 100 }, () => timed(asking)));
    const voucher = () => askForVoucher(api);
    const history = () => ask(api, "/v1/publications");
    const ready = async () => (await ask(api, "/readyz")).status;
    expect(new Set((await often(voucher)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(await ready()).toBe(200);
    await server.pause();
    for (const answer of await often(voucher)) expect(answer).toEqual({ status: 200, isQuick: true });
    for (const answer of [...(await often(history)), await timed(history)])
      expect(answer).toEqual({ status: 503, isQuick: true });
    await until(async () => (await ready()) === 503, 20);
    server.goOn();
    await until(async () => (await ready()) === 200, 20);
    for (const answer of await often(history)) expect(answer).toEqual({ status: 200, isQuick: true });
  });

  if (TAKES_LONG) {
    it("that is paused for good ends a run with 4, even one that holds its lock", async () => {
      const server = await ownDatabase(kind, "db");
      const environment = { ...sampleIn(await makeFolder()), CONSUMPTION_URL: server.url };
      await pipeline(["-e", EXECUTION_DATE], environment);
      const rival = await createConnection({ uri: server.url });
      await rival.query("LOCK TABLES publish_lock WRITE");
      const running = start(["-e", EXECUTION_DATE], environment);
      while (!JSON.stringify(await rival.query("SHOW PROCESSLIST")).includes("publish_lock"))
        await sleep(100);
      await server.pause();
      const paused = performance.now();
      const { code, stderr } = await running.ended;
      expect(code).toBe(4);
      expect((performance.now() - paused) / 1_000).toBeLessThan(150);
      expect(stderr).toContain("error CONSUMPTION_UNAVAILABLE");
      rival.destroy();
      server.goOn();
      expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({ code: 0, stderr: "" });
    }, 300_000);
  }
});

describe("a run that gets SIGTERM while a service is silent", () => {
  let lake: Lake;
  beforeAll(async () => {
    lake = await makeLake("mysql");
  }, 120_000);

  const moments = {
    mysql: [
      "database opened",
      "database migrated",
      "start recorded",
      "all prepared",
      "publish: transaction begun",
      "publish: voucher_frequent_most_used written",
      "run ended",
      "own staging swept",
    ],
    minio: [
      "lock taken",
      "start recorded",
      "raw files found",
      "raw files inspected",
      "curated.vouchers: room made",
      "vouchers: old file kept",
      "all committed",
      "run ended",
    ],
  } as const;
  const chosen = {
    mysql: ["database opened", "publish: transaction begun"],
    minio: ["raw files found", "vouchers: old file kept"],
  };
  const cases = (["mysql", "minio"] as const).flatMap((service) =>
    (TAKES_LONG ? moments : chosen)[service].map((moment) => [service, moment] as const),
  );

  it.each(cases)("ends within ten seconds with 143: %s, at the moment '%s'", async (service, moment) => {
    const { environment, states } = lake;
    await lake.putRaw(0);
    const run = await runUntil(moment, ["-e", EXECUTION_DATE], environment);
    expect(run.isThere).toBe(true);
    await lake[service].pause();
    run.goOn();
    await sleep(500);
    const begun = performance.now();
    run.kill("SIGTERM");
    const { code, stderr } = await run.ended;
    const seconds = (performance.now() - begun) / 1_000;
    lake[service].goOn();
    // A call of DuckDB that nothing interrupts is ended by the signal itself, which shells report as 143.
    const wasPublished = code === 0;
    expect(wasPublished ? 143 : (code ?? 143)).toBe(143);
    expect(seconds).toBeLessThan(10);
    if (!wasPublished) expect(stderr).toContain("error CANCELLED: cancelled");
    const next = await pipeline(["-e", EXECUTION_DATE, "--wait", "60s"], environment);
    expect(next).toMatchObject({ code: 0 });
    expect(await lake.visible()).toEqual(states[0]);
    expect(await lake.staged()).toEqual([]);
    // The next case begins with other data than it makes.
    await lake.putRaw(1);
    await pipeline(["-e", EXECUTION_DATE, "--wait", "60s"], environment);
  });
});

if (TAKES_LONG)
  describe("MinIO", () => {
    it.each(["start recorded", "curated.vouchers: room made", "vouchers: old file kept"])(
      "that is paused for good at the moment '%s' ends a run with 4",
      async (moment) => {
        const lake = await makeLake("mysql");
        const { minio } = lake;
        const paused = { name: "paused for good", begin: minio.pause, end: minio.goOn };
        expect(await meetFault(lake, moment, paused, 0)).toEqual({
          outcome: "exit 4 STORAGE_FAILED",
          seconds: expect.any(Number),
          violations: [],
        });
      },
      400_000,
    );
  });
