import { sideBySide } from "../base/concurrency.js";
import { PipelineError } from "../base/errors.js";
import type { Builder } from "../engine/builder.js";
import { EngineError } from "../engine/engine-error.js";
import type { WrittenModel } from "../models/model.js";
import type { FoundPartition } from "../zones/zone.js";
import { assertNoneFailed, auditModel } from "./audits.js";
import type { RunContext } from "./context.js";

/**
 * Makes a partition that another run has left readable under the name of its model.
 * @throws PipelineError PARTITION_MISSING where there is none that can be read, PARTITION_DIFFERS where its manifest tells of other
 * files, AUDIT_FAILED where its columns are not those of the model.
 */
export async function attachAtRest(
  { builder, executionDate, zones }: Pick<RunContext, "executionDate" | "zones"> & { builder: Builder },
  model: WrittenModel,
): Promise<FoundPartition> {
  const { partitionKey, iso } = executionDate;
  const stage = model.layer === "curated" ? "curate" : "aggregate";
  const remedy = `make it with: pipeline ${stage} -e ${iso}`;
  const found = await zones[model.layer].find({ table: model.table, partitionKey });
  if (found === undefined) {
    const message = `${model.name} has no partition execution_date=${partitionKey}; ${remedy}`;
    throw new PipelineError("PARTITION_MISSING", message);
  }
  try {
    await builder.attach(
      model.name,
      found.files.map(({ uri }) => uri),
    );
    assertNoneFailed(await auditModel(builder, { model, audits: [] }));
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const message = `${found.head.uri} cannot be read: ${error.onOneLine}; ${remedy}`;
    throw new PipelineError("PARTITION_MISSING", message, { cause: error });
  }
  return found;
}

/**
 * The files of the partitions that models have by now. Of one that is not there, or is at fault, there are none: who attaches it tells
 * what is wrong.
 */
export async function filesAtRest(
  { executionDate, zones }: Pick<RunContext, "executionDate" | "zones">,
  models: readonly WrittenModel[],
): Promise<string[]> {
  const { partitionKey } = executionDate;
  const found = await sideBySide(models, async ({ layer, table }) => {
    try {
      return await zones[layer].find({ table, partitionKey });
    } catch (error) {
      if (error instanceof PipelineError && error.kind === "data") return undefined;
      throw error;
    }
  });
  return found.flatMap((partition) => partition?.files.map(({ uri }) => uri) ?? []);
}
