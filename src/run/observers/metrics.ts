import { writeWhole } from "../../base/files.js";
import type { RunObserver } from "./observer.js";

/** Writes metrics of the runs if the settings name a file for them. The collector of a node_exporter reads it. */
export const metrics: RunObserver = {
  name: "the metrics",
  ended: async ({ consumption, settings }, { isRecorded }) => {
    if (settings.metricsFile === undefined) return;
    if (!isRecorded)
      throw new Error(`${settings.metricsFile} was not written: the database is not available`);
    // Loaded here, because most runs write no metrics.
    const { expositionOf, readState } = await import("./exposition.js");
    await writeWhole(settings.metricsFile, await expositionOf(await readState(consumption)));
  },
};
