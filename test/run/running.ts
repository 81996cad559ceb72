import type { Row } from "../../src/engine/builder.js";
import { type RunReport } from "../../src/record/run-record.js";
import { STAGES, type Stage } from "../../src/record/stages.js";
import { RunActivity } from "../../src/run/activity.js";
import { runPipeline, type RunRequest } from "../../src/run/run.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { readParquet } from "../duckdb.js";
import { putVouchers, type RawVoucher } from "../raw-vouchers.js";
import type { Workspace } from "../workspace.js";
import { filledWorkspace } from "./filled-workspace.js";

export const EXECUTION_DATE = "2020-05-29";

/** Runs the pipeline in this process. */
export function run(
  settings: Settings,
  executionDate = EXECUTION_DATE,
  stages: readonly Stage[] = STAGES,
  options: Partial<RunRequest> = {},
): Promise<RunReport> {
  const request = {
    executionDate: parseExecutionDate(executionDate),
    stages,
    waitMilliseconds: 0,
    keepStaged: false,
    ...options,
  };
  return runPipeline(settings, request, new AbortController().signal, new RunActivity());
}

/** A workspace in which the pipeline has run over the given vouchers. */
export async function runOver(
  vouchers: readonly RawVoucher[],
  executionDate = EXECUTION_DATE,
  overrides: Partial<Settings> = {},
): Promise<Workspace & { readonly report: RunReport }> {
  const name = JSON.stringify([vouchers, executionDate, overrides]);
  const { result, ...workspace } = await filledWorkspace(name, overrides, async ({ settings }) => {
    await putVouchers(settings.zones.raw, vouchers);
    return run(settings, executionDate);
  });
  return { ...workspace, report: result };
}

/** The rows of a partition, in their order. */
export function readPartition(
  settings: Settings,
  model: string,
  executionDate = EXECUTION_DATE,
): Promise<Row[]> {
  const [layer = "", table = ""] = model.split(".");
  const zone = layer === "curated" ? settings.zones.curated : settings.zones.provision;
  const { partitionKey } = parseExecutionDate(executionDate);
  return readParquet(zone, `${table}/execution_date=${partitionKey}/data.parquet`);
}
