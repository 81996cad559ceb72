import { expect, it } from "@jest/globals";
import { PipelineError } from "../../src/base/errors.js";
import { RunActivity } from "../../src/run/activity.js";
import { sweepAll } from "../../src/run/staging.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { openZones } from "../../src/zones/open-zones.js";
import { listFiles, putFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";
import { EXECUTION_DATE } from "./running.js";

it("at the end of a run that lost its lock removes only its own files, and warns of nothing", async () => {
  const { settings } = await makeWorkspace();
  const { signal } = new AbortController();
  const zones = await openZones(settings, signal);
  const executionDate = parseExecutionDate(EXECUTION_DATE);
  const runs = ["own", "rival"].map((name) => `2020-05-29T000000-${name}`);
  for (const zone of [settings.zones.curated, settings.zones.provision])
    for (const run of runs) await putFile(zone, `_staging/${run}/vouchers/data.parquet`, "x");
  const activity = new RunActivity();
  const lock = { assertHeld: () => Promise.reject(new PipelineError("LOCK_LOST", "lost")) };
  await sweepAll({ runId: runs[0] ?? "", lock, zones, executionDate, activity });
  for (const zone of [settings.zones.curated, settings.zones.provision])
    expect(await listFiles(zone)).toEqual([`_staging/${runs[1] ?? ""}/vouchers/data.parquet`]);
  expect(activity.warnings).toEqual([]);
  zones.close();
});
