import { readSettings } from "../../src/settings/settings.js";
import { openZones } from "../../src/zones/open-zones.js";

/** Commits what a run has staged for a partition, and ends the commit: a process of its own, so that it can be killed at a failpoint. */
const [runId = "", table = "", partitionKey = "", end] = process.argv.slice(2);

const settings = readSettings();
const zones = await openZones(settings);
const { undo, finish } = await zones.curated.commit(runId, { table, partitionKey });
await (end === "undo" ? undo() : finish());
zones.close();
