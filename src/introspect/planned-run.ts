import { sideBySide } from "../base/concurrency.js";
import { PipelineError } from "../base/errors.js";
import { unlessMissing, type Consumption } from "../consumption/consumption.js";
import { pendingMigrations } from "../consumption/migrate.js";
import { publishStatements, type PublishStatement } from "../consumption/publish-transaction.js";
import { changeStatements, neededChanges } from "../consumption/published-tables.js";
import { runningRun, type RunningRun } from "../consumption/recorded-runs.js";
import type { RawPart } from "../models/dialect.js";
import type { SqlVersion } from "../models/load.js";
import { isLarge, isPublished, isWritten } from "../models/model.js";
import { ignoredFilesOf, offClusterOf, type IgnoredFiles, type OffCluster } from "../raw/file-notices.js";
import { STAGES } from "../record/stages.js";
import type { RunContext } from "../run/context.js";
import { planHash, stepsOfStages, type PlannedStep } from "../run/plan.js";
import { contentStatements, publishedTable } from "../run/publish.js";
import { clusterOf } from "../run/raw-input.js";
import { assertReplaceable } from "../run/staging.js";
import type { Settings } from "../settings/settings.js";
import { pathPattern } from "../sql-text/literal.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { manifestFile } from "../zones/manifest.js";
import {
  partitionFile,
  sizeOf,
  stagedFile,
  stagingFolder,
  type FoundPartition,
  type Partition,
  type Zone,
} from "../zones/zone.js";
import { checkSql } from "./check/check-sql.js";
import { assertNoFaults } from "./check/sql-faults.js";
import { looking } from "./looking.js";
import { recordBuild, type RecordedStatement } from "./recording-builder.js";
import { renderRun, type RenderContext, type RenderedRun } from "./rendered-model.js";

/** The inputs, outputs and statements of a run. */
export interface PlannedRun {
  readonly execution_date: string;
  readonly sql_version: string;
  readonly sql_hash: string;
  /** The same hash as in the record of a run: SHA-256 over functions, models and audits. */
  readonly rendered_sql_hash: string;
  readonly engine: string;
  /** The addresses of the zones and the database, without secrets. */
  readonly targets: Readonly<Record<"raw" | "curated" | "provision" | "consumption", string>>;
  /** Whether another run of the date is in progress, and which one if that is known. */
  readonly lock: { readonly is_held: boolean; readonly holder: RunningRun | null };
  readonly raw: readonly PlannedInput[];
  /** Files that it would ignore because of their names. */
  readonly ignored_files: IgnoredFiles;
  /** Files that DuckDB would read although there is a cluster, by reason. */
  readonly off_cluster: readonly OffCluster[];
  readonly partitions: readonly PlannedPartition[];
  /** The statements for DuckDB, and for the cluster if there is one, file by file. */
  readonly steps: readonly PlannedStatements[];
  readonly publish: PlannedPublish;
}

/** The raw files of a model, in the groups that one SELECT reads. */
export interface PlannedInput {
  readonly model: string;
  readonly groups: readonly {
    readonly format: RawPart["format"];
    /** The type of each column that is read. */
    readonly columns: Readonly<Record<string, string>>;
    readonly files: readonly { readonly path: string; readonly bytes: number; readonly version: string }[];
  }[];
}

/** A partition that a run would write. */
export interface PlannedPartition {
  readonly model: string;
  /** The path that identifies it: its one file, or the manifest that lists its files. */
  readonly uri: string;
  /** The place of the staged partition: the one file, or the folder of many. Each run has its own id instead of `<run>`. */
  readonly staged: string;
  /** The partition that it would replace; null if there is none. */
  readonly replaces: { readonly files: number; readonly bytes: number; readonly version: string } | null;
}

/** The statements from one file. */
export interface PlannedStatements {
  readonly file: string;
  /** Null for the functions. */
  readonly model: string | null;
  readonly statements: readonly RecordedStatement[];
}

export interface PlannedPublish {
  /** The migrations of the database that come first. */
  readonly migrations: readonly string[];
  readonly new_tables: readonly { readonly table: string; readonly sql: string }[];
  /** The new columns of existing tables. */
  readonly new_columns: readonly { readonly table: string; readonly sql: string }[];
  /** The statements that store the rows in DuckDB and read them. */
  readonly reads: readonly { readonly table: string; readonly sql: string }[];
  /** The statements for the database, in one transaction. */
  readonly statements: readonly PublishStatement[];
}

/** A placeholder for the digits that tell a run from the others of its date. */
const RUN_DIGITS = "<run>";

/** A placeholder for the folder that a run creates below DUCKDB_TEMP_DIRECTORY. */
const TEMPORARY_FOLDER = "<temporary folder>";

/**
 * Shows what a run of all stages would do. It writes, creates and locks nothing, neither in the zones nor in the
 * database nor on this machine.
 * @throws PipelineError for a fault that would stop the run before it builds a model.
 */
export function planOfRun(
  settings: Settings,
  executionDate: ExecutionDate,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<PlannedRun> {
  return looking(settings, signal, async (opened) => {
    const version = await opened.sql();
    assertNoFaults((await checkSql(settings, signal)).faults);
    const zones = await opened.zones();
    const consumption = await opened.untouchedDatabase();
    const context = { executionDate, settings, version, zones, signal, warn };
    await assertReplaceable({ ...context, stages: STAGES });
    const { engine, inputs, plan } = await renderRun(context);
    const steps = stepsOfStages(plan, STAGES);
    const runId = `${executionDate.partitionKey}-${RUN_DIGITS}`;
    const said = await recordBuild({ ...context, runId, engine, folder: TEMPORARY_FOLDER }, plan, steps);
    const statementsOf = (file: string, model: string | null): PlannedStatements => ({
      file,
      model,
      statements: said.get(model ?? file) ?? [],
    });
    return {
      execution_date: executionDate.iso,
      sql_version: version.name,
      sql_hash: version.hash,
      rendered_sql_hash: planHash(plan),
      engine: settings.engine.kind === "spark" ? `${engine}, Spark at ${settings.engine.host}` : engine,
      targets: {
        raw: zones.raw.root,
        curated: zones.curated.root,
        provision: zones.provision.root,
        consumption: consumption.name,
      },
      lock: await lockOf(consumption, executionDate),
      raw: inputs.map(plannedInput),
      ignored_files: ignoredFilesOf(inputs.flatMap(({ ignored }) => ignored)),
      off_cluster: offClusterOf(
        inputs.flatMap(({ parts }) => parts),
        (part) => clusterOf(settings)?.refuses(part),
      ),
      partitions: await partitionsOf(steps, { ...context, runId }),
      steps: [
        statementsOf(plan.functions.file, null),
        ...(plan.clusterFunctions === undefined ? [] : [statementsOf(plan.clusterFunctions.file, null)]),
        ...steps.map(({ model }) => statementsOf(model.file, model.name)),
      ],
      publish: await publishOf(consumption, version),
    };
  });
}

function plannedInput({ model, files, parts }: RenderedRun["inputs"][number]): PlannedInput {
  const groups = parts.map((part) => ({
    format: part.format,
    columns: Object.fromEntries(Object.entries(part.columns).map(([name, { type }]) => [name, type])),
    files: files
      .filter(({ uri }) => part.files.includes(pathPattern(uri)))
      .map(({ path, bytes, version }) => ({ path, bytes, version })),
  }));
  return { model: model.name, groups };
}

async function lockOf(
  consumption: Consumption,
  { partitionKey }: ExecutionDate,
): Promise<PlannedRun["lock"]> {
  if (!(await consumption.isLocked(partitionKey))) return { is_held: false, holder: null };
  const holder = await unlessMissing(consumption, ["pipeline_runs"], () =>
    runningRun(consumption, partitionKey),
  );
  return { is_held: true, holder: holder ?? null };
}

function partitionsOf(
  steps: readonly PlannedStep[],
  { executionDate, runId, zones, warn }: RenderContext & Pick<RunContext, "runId">,
): Promise<PlannedPartition[]> {
  const { partitionKey } = executionDate;
  const written = steps.flatMap((step) => (isWritten(step.model) ? [{ step, model: step.model }] : []));
  return sideBySide(written, async ({ step, model: { name, layer, table } }) => {
    const zone = zones[layer];
    const partition = { table, partitionKey };
    const present = await findReplaced(zone, partition, warn);
    const isMany = writesMany(step);
    return {
      model: name,
      uri: `${zone.root}/${isMany ? manifestFile(partition) : partitionFile(partition)}`,
      staged: `${zone.root}/${isMany ? stagingFolder(runId, partition) : stagedFile(runId, partition)}`,
      replaces: present === undefined ? null : { ...sizeOf(present), version: present.head.version },
    };
  });
}

/** A run does not read the partition that it replaces. If that is faulty, the run is the remedy. */
async function findReplaced(
  zone: Zone,
  partition: Partition,
  warn: (message: string) => void,
): Promise<FoundPartition | undefined> {
  try {
    return await zone.find(partition);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.kind !== "data") throw error;
    warn(error.message);
    return undefined;
  }
}

/** Whether a cluster writes a model, as many files. */
function writesMany({ model, rendered }: PlannedStep): boolean {
  return isWritten(model) && isLarge(model.name) && rendered.dialect === "spark";
}

async function publishOf(consumption: Consumption, { models }: SqlVersion): Promise<PlannedPublish> {
  const published = models.filter(isPublished);
  const tables = published.map(publishedTable);
  const changes = await neededChanges(consumption, tables);
  const statementsOf = (some: typeof changes) =>
    some.flatMap((change) =>
      changeStatements(consumption, change).map((query) => ({
        table: change.table.name,
        sql: query.compile().sql,
      })),
    );
  return {
    migrations: await pendingMigrations(consumption),
    new_tables: statementsOf(changes.filter(({ isNew }) => isNew)),
    new_columns: statementsOf(changes.filter(({ isNew }) => !isNew)),
    reads: published.flatMap((model) => {
      const { keep, read } = contentStatements(model);
      return [keep, read].map((sql) => ({ table: model.table, sql }));
    }),
    statements: publishStatements(consumption, tables),
  };
}
