import { beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Settings } from "../../../src/settings/settings.js";
import { pipeline } from "../../cli/command.js";
import { readTable } from "../../consumption/reading.js";
import { TEST_S3 } from "../../place.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { hashesOf, listFiles } from "../../storage.js";
import { makeWorkspace, type Workspace } from "../../workspace.js";
import { startFaultyProxy, type Fault } from "./faulty-proxy.js";

let workspace: Workspace;
let tests = 0;
const newCountry = () => `Country ${tests.toString()}`;

/** Zones on S3 with a publication. */
beforeAll(async () => {
  workspace = await makeWorkspace({}, "minio+sqlite");
  await putVouchers(workspace.settings.zones.raw, times(2, voucher()));
  await run(workspace.settings);
});

/** A voucher of a country that no run has seen yet. */
beforeEach(async () => {
  tests += 1;
  const news = [voucher({ country_code: newCountry() })];
  await putVouchers(workspace.settings.zones.raw, news, "vouchers/news.parquet");
});

async function visible({ zones, consumptionUrl }: Settings) {
  return {
    curated: await hashesOf(zones.curated),
    provision: await hashesOf(zones.provision),
    answers: await readTable({ consumptionUrl }, "SELECT * FROM voucher_frequent_most_used"),
  };
}

/** Expects a run to fail with a code and words, no secret among them, to change nothing, and the next run to succeed. */
async function expectFailure(changes: Record<string, string>, code: string, words: readonly string[]) {
  const { settings, environment } = workspace;
  const before = await visible(settings);
  const changed = { ...environment, ...changes };
  // A process of its own: the errors of the network are those of a real one.
  const failed = await pipeline(["-e", EXECUTION_DATE, "--json"], changed);
  const { error } = JSON.parse(failed.stderr) as { error: { code: string; message: string } };
  expect(error.code).toBe(code);
  expect(failed.code).toBe(code === "ZONE_NOT_USABLE" ? 2 : 4);
  for (const word of words) expect(error.message).toContain(word);
  for (const name of ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) {
    if (changed[name] !== undefined) expect(failed.stderr + failed.stdout).not.toContain(changed[name]);
  }
  expect(await visible(settings)).toEqual(before);
  await run(settings);
  expect(await visible(settings)).not.toEqual(before);
  const left = [...(await listFiles(settings.zones.curated)), ...(await listFiles(settings.zones.provision))];
  expect(left.filter((file) => file.includes("_staging"))).toEqual([]);
}

describe("a run over zones on S3", () => {
  it("with a wrong secret key names the settings to check", async () => {
    const AWS_SECRET_ACCESS_KEY = "Wr0ng/Secret+Key";
    await expectFailure({ AWS_SECRET_ACCESS_KEY }, "ZONE_NOT_USABLE", [
      "CURATED_ZONE",
      "SignatureDoesNotMatch",
      "AWS_SECRET_ACCESS_KEY",
    ]);
  });

  it("with an unknown key names the settings to check", async () => {
    await expectFailure({ AWS_ACCESS_KEY_ID: "NOBODY" }, "ZONE_NOT_USABLE", [
      "InvalidAccessKeyId",
      "AWS_ACCESS_KEY_ID",
    ]);
  });

  it("with a wrong session token names the setting to check", async () => {
    await expectFailure({ AWS_SESSION_TOKEN: "no-such-token" }, "ZONE_NOT_USABLE", ["AWS_SESSION_TOKEN"]);
  });

  it.each(["raw", "curated", "provision"] as const)(
    "without the bucket of the %s zone names it",
    async (zone) => {
      const location = "s3://no-such-bucket-of-the-tests/zone";
      await expectFailure({ [`${zone.toUpperCase()}_ZONE`]: location }, "ZONE_NOT_USABLE", [
        location,
        `${zone.toUpperCase()}_ZONE`,
        "NoSuchBucket",
      ]);
    },
  );

  it.each([
    ["is down", "http://127.0.0.1:1", "STORAGE_FAILED", "ECONNREFUSED"],
    ["has a name that nobody knows", "http://s3.invalid:9000", "STORAGE_FAILED", "ENOTFOUND"],
    ["speaks no TLS", TEST_S3?.endpoint.replace("http:", "https:") ?? "", "ZONE_NOT_USABLE", "EPROTO"],
  ])("whose endpoint %s reports it", async (_fault, endpoint, code, word) => {
    await expectFailure({ AWS_ENDPOINT_URL_S3: endpoint }, code, [
      word,
      "CURATED_ZONE",
      "AWS_ENDPOINT_URL_S3",
    ]);
  });

  it.each<[string, Fault, (method: string, url: string) => boolean, string, string]>([
    [
      "whose token expires",
      { status: 400, code: "ExpiredToken" },
      () => true,
      "ZONE_NOT_USABLE",
      "AWS_SESSION_TOKEN",
    ],
    [
      "whose token expires while files are written",
      { status: 400, code: "ExpiredToken" },
      (method, url) => method !== "GET" && url.includes("_staging"),
      "ZONE_NOT_USABLE",
      "AWS_SESSION_TOKEN",
    ],
    [
      "of another region",
      { status: 301, code: "PermanentRedirect" },
      () => true,
      "ZONE_NOT_USABLE",
      "AWS_REGION",
    ],
    ["that is overloaded", { status: 503, code: "SlowDown" }, () => true, "STORAGE_FAILED", "run again"],
    [
      "that is full",
      { status: 507, code: "XMinioStorageFull" },
      (method) => method === "PUT" || method === "POST",
      "STORAGE_FULL",
      "is full",
    ],
    [
      "that breaks off while files are written",
      "cut",
      (method, url) => method === "PUT" && url.includes("_staging"),
      "STORAGE_FAILED",
      "run again",
    ],
    [
      "that breaks off while partitions are committed",
      "cut",
      (method, url) => method === "PUT" && url.includes("voucher_recency") && !url.includes("_staging"),
      "STORAGE_FAILED",
      "PROVISION_ZONE",
    ],
    [
      "that breaks off while raw files are read",
      "cut",
      (method, url) => method === "GET" && url.includes("news.parquet"),
      "STORAGE_FAILED",
      "run again",
    ],
  ])("%s fails as it should", async (_fault, fault, isHit, code, word) => {
    const endpoint = await startFaultyProxy(({ method = "", url = "" }) =>
      isHit(method, url) ? fault : undefined,
    );
    await expectFailure({ AWS_ENDPOINT_URL_S3: endpoint }, code, [word]);
  });

  it("continues if a service is away for a moment", async () => {
    const { settings } = workspace;
    let awayUntil = Infinity;
    const endpoint = await startFaultyProxy(({ method = "", url = "" }) => {
      if (method === "PUT" && url.includes("_staging") && awayUntil === Infinity)
        awayUntil = Date.now() + 1_500;
      return awayUntil !== Infinity && Date.now() < awayUntil ? "cut" : undefined;
    });
    await run({ ...settings, s3: { ...settings.s3, endpoint } });
    expect(
      await readTable(settings, "SELECT country_code FROM voucher_frequent_most_used ORDER BY 1"),
    ).toEqual([{ country_code: newCountry() }, { country_code: "Peru" }]);
  });
});
