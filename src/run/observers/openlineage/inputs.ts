import { isRaw, type Model } from "../../../models/model.js";
import type { RunReport } from "../../../record/run-record.js";
import type { RunContext } from "../../context.js";
import { dataset, filesFacets, filesName, type Dataset } from "./datasets.js";

/** The datasets that a run has read: raw files by their folder, and partitions that others have left. */
export function inputsOf(
  context: Pick<RunContext, "settings" | "version" | "zones">,
  report: RunReport,
): Dataset[] {
  return context.version.models.flatMap((model) => {
    const read = isRaw(model) ? rawInput(model.header.folder, report) : restingInput(model, report);
    if (read === undefined) return [];
    return [
      dataset(filesName(context, model), {
        facets: { ...filesFacets(context, model), ...read.facets },
        inputFacets: { inputStatistics: read.statistics },
      }),
    ];
  });
}

interface Read {
  readonly facets: { version?: object };
  readonly statistics: object;
}

function rawInput(folder: string, { inputs }: RunReport): Read | undefined {
  const files = inputs.filter(({ path }) => path.startsWith(`${folder}/`));
  if (files.length === 0) return undefined;
  const size = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { facets: {}, statistics: { size, fileCount: files.length } };
}

function restingInput({ name }: Model, { at_rest }: RunReport): Read | undefined {
  const resting = at_rest.find(({ model }) => model === name);
  return resting && { facets: { version: { datasetVersion: resting.sha256 } }, statistics: { fileCount: 1 } };
}
