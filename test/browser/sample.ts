import path from "node:path";
import type { Settings } from "../../src/settings/settings.js";
import { run } from "../run/running.js";
import { makeWorkspace, PROJECT } from "../workspace.js";

/** The dates of which the tests open the publications. On the second last day two answers were others. */
export const SAMPLE_DATES = ["2019-06-01", "2019-12-01", "2020-03-01", "2020-05-28", "2020-05-29"] as const;

/** What real runs over the sample of the project have published. */
export async function publishedSample(dates: readonly string[] = SAMPLE_DATES): Promise<Settings> {
  const { settings } = await makeWorkspace();
  const ofSample = { ...settings, zones: { ...settings.zones, raw: path.join(PROJECT, "data/raw") } };
  for (const date of dates) await run(ofSample, date);
  return ofSample;
}
