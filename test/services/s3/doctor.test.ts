import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline, type Ended } from "../../cli/command.js";
import { putVouchers, voucher } from "../../raw-vouchers.js";
import { listFiles } from "../../storage.js";
import { fingerprint, makeFolder, makeWorkspace, type Workspace } from "../../workspace.js";
import { documentedPolicy, poorerPolicy } from "./documented-policy.js";
import { keysEnvironment, temporaryKeys } from "./temporary-keys.js";

describe("pipeline doctor on S3", () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await makeWorkspace({}, "minio+sqlite");
    await putVouchers(workspace.settings.zones.raw, [voucher()]);
  });

  function doctor(change: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return pipeline(["doctor"], { ...workspace.environment, ...change });
  }

  it("passes with the rights of docs/operating.md, and leaves nothing in the zones", async () => {
    const keys = keysEnvironment(await temporaryKeys(await documentedPolicy(workspace.settings)));
    const { code, stdout } = await doctor(keys);
    expect(stdout).toMatch(/^✓ ok +clock +agrees with S3$/m);
    expect([stdout.match(/^(✗|-).*$/gm), code]).toEqual([null, 0]);
    const { curated, provision } = workspace.settings.zones;
    expect([await listFiles(curated), await listFiles(provision)]).toEqual([[], []]);
  });

  it.each([
    ["s3:ListBucket", 0, "raw zone"],
    ["s3:ListBucketMultipartUploads", 0, "writing curated"],
    ["s3:GetObject", 1, "raw zone"],
    ["s3:GetObject", 2, "writing curated"],
    ["s3:PutObject", 2, "writing curated"],
    ["s3:DeleteObject", 2, "writing curated"],
  ])(
    "names the zone for which keys without %s of statement %i are not enough",
    async (action, index, check) => {
      const policy = await poorerPolicy(workspace.settings, action, index);
      const { code, stdout } = await doctor(keysEnvironment(await temporaryKeys(policy)));
      expect(stdout).toMatch(new RegExp(`^✗ failed +${check} +ZONE_NOT_USABLE: `, "m"));
      expect(code).toBe(2);
    },
  );

  it("reports wrong keys, for each zone", async () => {
    const { code, stdout } = await doctor({ AWS_SECRET_ACCESS_KEY: "wrong-secret" });
    expect(stdout.match(/^✗ failed .*ZONE_NOT_USABLE: .*check AWS_ACCESS_KEY_ID/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^- not checked +writing curated +it needs curated zone$/m);
    expect([code, stdout.includes("wrong-secret")]).toEqual([2, false]);
  });

  it("reports a missing bucket", async () => {
    const { code, stdout } = await doctor({ CURATED_ZONE: "s3://there-is-no-such-bucket/curated" });
    expect(stdout).toMatch(
      /^✗ failed +curated zone .*NoSuchBucket.*create the bucket, or correct the setting$/m,
    );
    expect(code).toBe(2);
  });

  it("ends with 4 if no server answers", async () => {
    const { code, stdout } = await doctor({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" });
    expect(stdout.match(/^✗ failed .* zone +STORAGE_FAILED: .*ECONNREFUSED/gm)).toHaveLength(3);
    expect(code).toBe(4);
  });

  it("explains how to get the extension if it is not in its folder, and puts nothing there", async () => {
    const empty = await makeFolder();
    const { code, stdout } = await doctor({ DUCKDB_EXTENSION_DIRECTORY: empty });
    expect(stdout).toMatch(/^✗ failed +httpfs +EXTENSION_MISSING: .*run 'npx pipeline install-extension'/m);
    expect(stdout).toMatch(/^- not checked +writing curated +it needs httpfs$/m);
    expect([code, await fingerprint(empty)]).toEqual([2, {}]);
  });

  it("reports that the clock of this machine is wrong", async () => {
    const shifted = path.join(await makeFolder(), "shifted.mjs");
    await writeFile(
      shifted,
      `const now = () => Real.now() + 10 * 60_000;
       const Real = Date;
       globalThis.Date = class extends Real {
         constructor(...words) { super(...(words.length === 0 ? [now()] : words)); }
         static now() { return now(); }
       };`,
    );
    const { code, stdout } = await doctor({ NODE_OPTIONS: `--import ${shifted}` });
    expect(stdout).toMatch(/^✗ failed +clock +MACHINE_NOT_USABLE: S3 is (59|60)\d s behind this machine/m);
    expect(code).toBe(2);
  });
});
