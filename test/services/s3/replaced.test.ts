import { describe, expect, it } from "@jest/globals";
import { loadSqlVersion } from "../../../src/models/load.js";
import { findRawFiles, readingUnchanged } from "../../../src/run/raw-input.js";
import { openZones } from "../../../src/zones/open-zones.js";
import { HEADER, LINE } from "../../end-to-end/failing.js";
import { putFile } from "../../storage.js";
import { makeWorkspace } from "../../workspace.js";

const GOOD = `${HEADER}\n${LINE}\n`;

describe("a raw object that is read", () => {
  it("is detected if another one replaced it for a moment", async () => {
    const { settings } = await makeWorkspace({}, "minio+sqlite");
    const put = (content: string) => putFile(settings.zones.raw, "vouchers/a.csv", content);
    await put(GOOD);
    const zones = await openZones(settings);
    const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
    const inputs = await findRawFiles({ version, zones });
    const reading = (work: () => Promise<void>) =>
      readingUnchanged({ signal: new AbortController().signal, zones }, inputs, work);
    await reading(() => Promise.resolve());
    // Some servers tell the second of a put, and no more.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const putAndBack = async () => {
      await put(GOOD.replace("2640", "9999"));
      await put(GOOD);
    };
    await expect(reading(putAndBack)).rejects.toMatchObject({
      code: "RAW_FILES_CHANGED",
      message: expect.stringContaining("vouchers/a.csv"),
    });
    zones.close();
  });
});
