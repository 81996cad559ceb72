import { describe, expect, it } from "@jest/globals";
import type { Settings } from "../../../src/settings/settings.js";
import { readTable } from "../../consumption/reading.js";
import { visible } from "../../end-to-end/failing.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { run } from "../../run/running.js";
import { hashesOf } from "../../storage.js";
import { makeWorkspace } from "../../workspace.js";
import { documentedPolicy, poorerPolicy } from "./documented-policy.js";
import { temporaryKeys, type Policy } from "./temporary-keys.js";

async function lake(): Promise<Settings> {
  const { settings } = await makeWorkspace({}, "minio+sqlite");
  await putVouchers(settings.zones.raw, times(2, voucher()));
  return settings;
}

async function withPolicy(settings: Settings, policy: Policy): Promise<Settings> {
  return { ...settings, s3: { ...settings.s3, credentials: await temporaryKeys(policy) } };
}

describe("keys with the rights of docs/operating.md", () => {
  it("are enough for a first run, a second one, and one of an old date", async () => {
    const settings = await lake();
    const limited = await withPolicy(settings, await documentedPolicy(settings));
    const raw = await hashesOf(settings.zones.raw);
    await run(limited);
    expect(await run(limited)).toMatchObject({ published: { isNew: false }, warnings: [] });
    expect(await hashesOf(settings.zones.raw)).toEqual(raw);
    await putVouchers(settings.zones.raw, [voucher({ country_code: "Chile" })]);
    await run(limited, "2020-05-28");
    await run(limited);
    expect(await readTable(settings, "SELECT country_code FROM voucher_frequent_most_used")).toEqual([
      { country_code: "Chile" },
      { country_code: "Chile" },
    ]);
  });

  it.each([
    ["s3:ListBucket", 0, "_ZONE"],
    ["s3:ListBucketMultipartUploads", 0, "CURATED_ZONE"],
    ["s3:GetObject", 1, "raw"],
    ["s3:GetObject", 2, "curated"],
    ["s3:PutObject", 2, "curated"],
  ])("without %s of statement %i fail, and name the zone", async (action, index, zone) => {
    const settings = await lake();
    const poorer = await poorerPolicy(settings, action, index);
    await run(settings);
    const before = await visible({ settings });
    await putVouchers(settings.zones.raw, [voucher({ country_code: "Chile" })]);
    await expect(run(await withPolicy(settings, poorer))).rejects.toMatchObject({
      code: "ZONE_NOT_USABLE",
      message: expect.stringContaining(zone),
    });
    expect(await visible({ settings })).toEqual(before);
  });

  it("without s3:DeleteObject leave staging behind with a warning, and the next run fails", async () => {
    const settings = await lake();
    const limited = await withPolicy(settings, await poorerPolicy(settings, "s3:DeleteObject", 2));
    const { warnings } = await run(limited);
    expect(warnings).toContainEqual(
      expect.stringMatching(/cannot clean .*staging.*: .*CURATED_ZONE.*AccessDenied/),
    );
    await expect(run(limited)).rejects.toMatchObject({
      code: "ZONE_NOT_USABLE",
      message: expect.stringContaining("CURATED_ZONE"),
    });
  });
});
