import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { counting, printable } from "../base/words.js";
import type { Consumption } from "../consumption/consumption.js";
import { migrate } from "../consumption/migrate.js";
import { openConsumption } from "../consumption/open-consumption.js";
import { readOpenWithdrawals } from "../consumption/publication-withdrawals.js";
import { neededChanges } from "../consumption/published-tables.js";
import { readPublications } from "../consumption/read-publications.js";
import {
  dropOldTable,
  fillNewTable,
  oldNameOf,
  prepareNewTable,
  putInPlace,
  readRebuildState,
} from "../consumption/rebuilt-table.js";
import { readRunOutlines } from "../consumption/recorded-runs.js";
import { duckDbBuilder, type Engine } from "../engine/duckdb/duckdb-engine.js";
import { withDuckDb } from "../engine/duckdb/duckdb.js";
import { loadSqlVersion, type SqlVersion } from "../models/load.js";
import { isPublished, type WrittenModel } from "../models/model.js";
import type { Stage } from "../record/stages.js";
import type { Settings } from "../settings/settings.js";
import { executionDateOfKey, type ExecutionDate } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";
import { openZones, type Zones } from "../zones/open-zones.js";
import { RunActivity } from "./activity.js";
import { attachAtRest, filesAtRest } from "./build.js";
import { sqlOfTables, staleDates } from "./date-runs.js";
import { keptContent, publishedTable } from "./publish.js";
import { runSession } from "./run-engine.js";
import { runPipeline } from "./run.js";

const LOCK_NAME = "rebuild";

export interface RebuildRequest {
  readonly table: string;
  /** Whether the table that was replaced is removed at the end. */
  readonly dropOld: boolean;
  /** Whether dates of another SQL version may be replaced. */
  readonly replacesVersion: boolean;
  /** Whether dates may run again over raw files that changed since. */
  readonly allowsChangedRaw: boolean;
}

/** The result of a rebuild. */
export interface RebuildReport {
  readonly table: string;
  /** Why the table needed it, in words; nothing if it was as its model says. */
  readonly differences: readonly string[];
  readonly dates: readonly RebuiltDate[];
  /** Withdrawn dates whose rows are only in the old table. Run them before you restore them. */
  readonly left_out: readonly string[];
  /** The name of the table that was replaced, if it is still there. */
  readonly old_table: string | null;
  /** Why the dates could not be published again yet, in words: another table differs, too. Null if they were. */
  readonly blocked: string | null;
}

/** A date in the new table. */
export interface RebuiltDate {
  readonly execution_date: string;
  readonly rows: number;
  /** Whether its partition came from the present SQL, or the date ran again. */
  readonly from: "partition" | "run";
}

/** The common input of the parts of a rebuild. */
interface Rebuild {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly activity: RunActivity;
  readonly consumption: Consumption;
  readonly zones: Zones;
  readonly version: SqlVersion;
  readonly model: WrittenModel;
}

/**
 * Builds a published table again, next to the present one, and puts it in its place. Each date runs
 * again, except for dates whose partitions come from the present SQL. Readers see the old table until the new one
 * is complete. It is safe to kill and to repeat.
 * @param activity receives the steps of the rebuild.
 * @throws PipelineError for every fault that is not a bug.
 */
export async function rebuildTable(
  settings: Settings,
  request: RebuildRequest,
  signal: AbortSignal,
  activity: RunActivity,
): Promise<RebuildReport> {
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const model = modelOf(version, request.table);
  const consumption = await openConsumption(settings.consumptionUrl, signal);
  const zones = await openZones(settings, signal);
  try {
    await migrate(consumption, signal);
    const rebuild = { settings, signal, activity, consumption, zones, version, model };
    const locked = await consumption.tryLocked(LOCK_NAME, () => rebuildLocked(rebuild, request));
    if (locked !== undefined) return locked.result;
    throw new PipelineError(
      "LOCK_HELD",
      "another rebuild of this database is in progress; wait until it ends",
    );
  } finally {
    zones.close();
    await consumption.close();
  }
}

/** @throws PipelineError INVALID_USAGE if no model publishes the table. */
function modelOf({ models, name }: SqlVersion, table: string): WrittenModel {
  const published = models.filter(isPublished);
  const model = published.find((one) => one.table === table);
  if (model !== undefined) return model;
  const tables = published.map((one) => one.table).join(", ");
  throw new PipelineError(
    "INVALID_USAGE",
    `no model of ${name} publishes a table ${table}; it publishes ${tables}`,
  );
}

async function rebuildLocked(rebuild: Rebuild, request: RebuildRequest): Promise<RebuildReport> {
  const { dropOld } = request;
  const { consumption, model } = rebuild;
  const table = publishedTable(model);
  const { differences, hasOld } = await readRebuildState(consumption, table);
  const dates = new Map<string, RebuiltDate>();
  const leftOut: string[] = [];
  if (differences.length > 0) {
    if (hasOld) {
      throw new PipelineError(
        "INVALID_USAGE",
        `${oldNameOf(table.name)}, which an earlier rebuild replaced, is still there. Rename it, or drop it if nobody needs it`,
      );
    }
    await assertRepeatable(rebuild, request);
    await prepareNewTable(consumption, table);
    leftOut.push(...(await copyWithdrawn(rebuild)));
    await fillAndSwap(rebuild, dates);
  }
  // Also if a rebuild was killed after the swap.
  const blocked = differences.length > 0 || hasOld ? await publishAgain(rebuild) : null;
  if (dropOld) await dropOldTable(consumption, table.name);
  return {
    table: table.name,
    differences,
    dates: [...dates.values()],
    left_out: leftOut,
    old_table: !dropOld && (hasOld || differences.length > 0) ? oldNameOf(table.name) : null,
    blocked,
  };
}

/** Fills the new table with all published dates, until none was published while it was filled. */
async function fillAndSwap(rebuild: Rebuild, dates: Map<string, RebuiltDate>): Promise<void> {
  const { consumption, model } = rebuild;
  const filled = new Map<string, string>();
  for (;;) {
    const publications = await readPublications(consumption);
    for (const publication of publications.toReversed())
      if (filled.get(publication.executionDate.partitionKey) !== publication.dataHash) {
        const { partitionKey } = publication.executionDate;
        dates.set(partitionKey, await fillDate(rebuild, publication));
        filled.set(partitionKey, publication.dataHash);
        failpoint("rebuild: date filled");
      }
    const published = await putInPlace(consumption, publishedTable(model), filled);
    if (published.length === 0) return;
  }
}

async function fillDate(rebuild: Rebuild, { executionDate }: Publication): Promise<RebuiltDate> {
  const { iso } = executionDate;
  const copied = (await isOfPresentSql(rebuild, executionDate))
    ? await copyPartition(rebuild, executionDate)
    : undefined;
  if (copied !== undefined) return { execution_date: iso, rows: copied, from: "partition" };
  await runStages(rebuild, executionDate, ["curate", "aggregate"]);
  const rows = await copyPartition(rebuild, executionDate);
  if (rows === undefined) throw new TypeError(`the partition of ${iso} is not as its model says after a run`);
  return { execution_date: iso, rows, from: "run" };
}

/** The rows of other SQL must not be published as those of the present SQL. */
async function isOfPresentSql(
  { consumption, version }: Rebuild,
  executionDate: ExecutionDate,
): Promise<boolean> {
  const hashes = await sqlOfTables(consumption, executionDate, ["curate", "aggregate"]);
  return hashes.size === 1 && hashes.has(version.hash);
}

/**
 * Checks that each date can run again as it was, before anything changes.
 * @throws PipelineError SQL_VERSION_DIFFERS, or INVALID_USAGE if a date would run over other raw files.
 */
async function assertRepeatable(
  { consumption, settings, version }: Rebuild,
  { replacesVersion, allowsChangedRaw, table }: RebuildRequest,
): Promise<void> {
  const publications = await readPublications(consumption);
  const other = publications.find(({ sqlVersion }) => sqlVersion !== version.name);
  if (other !== undefined && !replacesVersion) {
    throw new PipelineError(
      "SQL_VERSION_DIFFERS",
      `${other.executionDate.iso} is published by the SQL ${printable(other.sqlVersion)}, and this is ${version.name}. ` +
        `To publish all dates by ${version.name}, run npx pipeline rebuild ${table} --replace-version`,
    );
  }
  if (allowsChangedRaw) return;
  const runs = await readRunOutlines(consumption);
  const changed = await staleDates(settings, consumption, publications, runs);
  if (changed.length === 0) return;
  throw new PipelineError(
    "INVALID_USAGE",
    `the raw files of ${counting(changed.length, "date")} changed since the publication: ` +
      `${changed.map(({ execution_date }) => execution_date).join(", ")}. The dates run again, so their answers can change. ` +
      "Restore the files, or add --allow-changed-raw",
  );
}

/**
 * @returns the number of rows; undefined if a partition is missing, or does not have the columns of its model: then the date cannot be
 * published as it is.
 */
async function copyPartition(rebuild: Rebuild, executionDate: ExecutionDate): Promise<number | undefined> {
  const { activity, consumption, model, version, zones } = rebuild;
  const published = version.models.filter(isPublished);
  const files = await filesAtRest({ executionDate, zones }, published);
  const session = { ...runSession(rebuild, activity.warn), reach: { directories: [], files } };
  return activity.during(`copying ${executionDate.iso}`, () =>
    withDuckDb(session, async (engine: Engine) => {
      try {
        const builder = duckDbBuilder(engine);
        for (const one of published) await attachAtRest({ executionDate, zones, builder }, one);
      } catch (error) {
        const isOther =
          error instanceof PipelineError && ["AUDIT_FAILED", "PARTITION_MISSING"].includes(error.code);
        if (isOther) return undefined;
        throw error;
      }
      const content = await keptContent(engine, model);
      await fillNewTable(consumption, executionDate, content);
      return content.rows;
    }),
  );
}

/** Copies the rows of withdrawn dates, so that they can be restored. @returns the dates that have no fitting partition. */
async function copyWithdrawn(rebuild: Rebuild): Promise<string[]> {
  const leftOut: string[] = [];
  for (const { execution_date } of await readOpenWithdrawals(rebuild.consumption)) {
    const date = executionDateOfKey(execution_date);
    if (date !== undefined && (await copyPartition(rebuild, date)) === undefined) leftOut.push(date.iso);
  }
  return leftOut;
}

/**
 * Records what each date holds now, and publishes the other tables of dates that were run again.
 * @returns why that is not possible yet; null if it is done.
 */
async function publishAgain(rebuild: Rebuild): Promise<string | null> {
  const { consumption, version } = rebuild;
  try {
    await neededChanges(consumption, version.models.filter(isPublished).map(publishedTable));
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== "CONSUMPTION_TABLE_DIFFERS") throw error;
    return error.message;
  }
  const publications = await readPublications(consumption);
  for (const { executionDate } of publications.toReversed()) {
    await runStages(rebuild, executionDate, ["publish"]);
    failpoint("rebuild: date published");
  }
  return null;
}

async function runStages(
  { settings, signal, activity }: Rebuild,
  executionDate: ExecutionDate,
  stages: readonly Stage[],
): Promise<void> {
  // The dates of another version are part of the rebuild.
  const replacesVersion = true;
  const request = { executionDate, stages, replacesVersion, waitMilliseconds: 0, keepStaged: false };
  await activity.during(`${stages.join(" and ")} ${executionDate.iso}`, () =>
    runPipeline(settings, request, signal, new RunActivity(activity.log)),
  );
}
