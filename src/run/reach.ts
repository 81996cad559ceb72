import type { Reach } from "../engine/duckdb.js";
import { isWritten, type WrittenModel } from "../models/model.js";
import type { Stage } from "../record/run-record.js";
import { stagingOfRun } from "../zones/zone.js";
import { filesAtRest } from "./at-rest.js";
import type { RunContext } from "./context.js";
import type { RawInput } from "./raw-input.js";

const STAGE_OF_LAYER: Record<WrittenModel["layer"], Stage> = { curated: "curate", provision: "aggregate" };

/**
 * What the engine may touch in a run: its own staging, the raw files that were found, and the partitions of its date that
 * it takes as they are. A model cannot read what it does not refer to, nor write where readers look.
 */
export async function reachOf(context: RunContext, inputs: readonly RawInput[]): Promise<Reach> {
  const { raw, runId, stages, version, zones } = context;
  const resting = version.models
    .filter(isWritten)
    .filter(({ layer }) => !stages.includes(STAGE_OF_LAYER[layer]));
  const atRest = await filesAtRest(context, resting);
  return {
    directories: [zones.curated, zones.provision].map(({ root }) => `${root}/${stagingOfRun(runId)}`),
    files: [...inputs.flatMap(({ files }) => files.map(({ uri }) => uri)), ...raw.typedFiles, ...atRest],
  };
}
