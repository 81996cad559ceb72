import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { Row } from "../../src/engine/builder.js";
import { type RunReport } from "../../src/record/run-record.js";
import { STAGES, type Stage } from "../../src/record/stages.js";
import { RunActivity } from "../../src/run/activity.js";
import { runPipeline, type RunRequest } from "../../src/run/run.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { readTable } from "../consumption/reading.js";
import { readParquet } from "../duckdb.js";
import { PLACE } from "../place.js";
import { putVouchers, type RawVoucher } from "../raw-vouchers.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

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
): Promise<RunWorkspace> {
  if (PLACE !== "local+sqlite") return fill(vouchers, executionDate, overrides);
  const key = JSON.stringify([vouchers, executionDate, overrides]);
  const original = filled.get(key) ?? fillToCopy(vouchers, executionDate, overrides);
  filled.set(key, original);
  return copyOf(await original, overrides);
}

type RunWorkspace = Workspace & { readonly report: RunReport };

/** Workspaces of this test file that no test has, by what fills them: a copy in folders is made sooner than another run. */
const filled = new Map<string, Promise<RunWorkspace>>();

async function fill(
  vouchers: readonly RawVoucher[],
  executionDate: string,
  overrides: Partial<Settings>,
): Promise<RunWorkspace> {
  const workspace = await makeWorkspace(overrides);
  await putVouchers(workspace.settings.zones.raw, vouchers);
  return { ...workspace, report: await run(workspace.settings, executionDate) };
}

async function fillToCopy(...how: Parameters<typeof fill>): Promise<RunWorkspace> {
  const workspace = await fill(...how);
  // The file of the database is then all of it: the one beside it goes when a connection is collected.
  await readTable(workspace.settings, "PRAGMA wal_checkpoint(TRUNCATE)");
  return workspace;
}

async function copyOf(original: RunWorkspace, overrides: Partial<Settings>): Promise<RunWorkspace> {
  const workspace = await makeWorkspace(overrides);
  const database = ["consumption.db", "consumption.db.locks"];
  const contents = ["raw", "curated", "provision", "runs", "temp", ...database];
  // Node's own copy cuts the times of files, by which the pipeline knows them.
  await promisify(execFile)("cp", [
    "-a",
    ...contents.map((name) => path.join(original.folder, name)).filter((place) => existsSync(place)),
    workspace.folder,
  ]);
  // Records of runs name places.
  const from = path.basename(original.folder);
  const to = path.basename(workspace.folder);
  await readTable(
    workspace.settings,
    `UPDATE pipeline_runs SET record = replace(record, '${from}', '${to}')`,
  );
  const report = JSON.parse(JSON.stringify(original.report).replaceAll(from, to)) as RunReport;
  return { ...workspace, report };
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
