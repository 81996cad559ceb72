import path from "node:path";
import { cancelled } from "../../base/errors.js";
import { isOnS3 } from "../../base/s3-access.js";
import type { Consumption } from "../../consumption/consumption.js";
import { dataSourceOf, openConsumptionUntouched } from "../../consumption/open-consumption.js";
import { loadSqlVersion, type SqlVersion } from "../../models/load.js";
import { isWritten } from "../../models/model.js";
import { STAGES } from "../../record/stages.js";
import type { RunActivity } from "../../run/activity.js";
import { planRun, stepsOfStages } from "../../run/plan.js";
import type { Settings } from "../../settings/settings.js";
import { parseExecutionDate } from "../../voucher/execution-date.js";
import { openZones, type Zones } from "../../zones/open-zones.js";
import { checkSql } from "../check/check-sql.js";
import { assertNoFaults } from "../check/sql-faults.js";
import { checkRights, checkServer, checkTables } from "./database.js";
import { checkCluster, checkDuckDb, checkHttpfs } from "./engine.js";
import { Examination, found, type CheckResult, type Examined, type Finding } from "./examination.js";
import { checkClock, checkDisks, checkMemory, checkNode, checkReports, checkTempFolder } from "./machine.js";
import { checkRawFiles, checkWriting, checkZone } from "./storage.js";

export type { CheckResult };

/** The results of the preflight checks. */
export interface DoctorReport {
  readonly healthy: boolean;
  /** In the order in which a run needs them. */
  readonly checks: readonly CheckResult[];
}

/**
 * Checks that everything that a run needs is in place, and changes nothing. Every check runs, unless it needs one
 * that has failed.
 * @param readSettings throws a PipelineError if the settings are invalid.
 */
export async function examine(
  readSettings: () => Settings,
  signal: AbortSignal,
  activity: RunActivity,
): Promise<DoctorReport> {
  const examination = new Examination(activity);
  const opened: Opened = {};
  try {
    await examination.check("node", [], () => checkNode());
    const settings = await examination.check("settings", [], () => ({
      message: "valid",
      value: readSettings(),
    }));
    if (settings.finding?.value.profile !== undefined)
      await examination.check("profile", [settings], (known) => found(profileInWords(known)));
    const sql = await examination.check("sql", [settings], checkModels);
    const engine = await examineMachine(examination, settings, signal);
    await examination.check("sql binds", [settings, sql, engine], (known) => checkBinding(known, signal));
    const cluster = settings.finding?.value.engine;
    if (cluster?.kind === "spark")
      await examination.check("spark", [settings], (known) =>
        checkCluster(cluster, Object.values(known.zones), signal),
      );
    const zones = await examineZones(examination, opened, { settings, sql, engine }, signal);
    const server = await examineDatabase(examination, opened, settings, sql);
    await examination.check("clock", [], () => checkClock({ ...zones, ...server }));
  } finally {
    opened.zones?.close();
    await opened.consumption?.close();
  }
  if (signal.aborted) throw cancelled(signal);
  const checks = await examination.results();
  return { healthy: checks.every(({ outcome }) => outcome === "passed"), checks };
}

/** The places of a profile, without secrets. */
function profileInWords({ consumptionUrl, profile, zones }: Settings): string {
  const { uri, database } = dataSourceOf(consumptionUrl);
  return [
    profile ?? "",
    ...Object.entries(zones).map(([name, location]) => `${name} zone ${location}`),
    `database ${uri}${database === undefined ? "" : `/${database}`}`,
  ].join(", ");
}

/** The resources to close at the end. */
interface Opened {
  zones?: Zones;
  consumption?: Consumption;
}

/** How many milliseconds the clocks of other services are ahead, by their names. */
type Clocks = Readonly<Record<string, number>>;

/** Whether the models are readable and renderable, and have an order. */
async function checkModels({
  sqlDirectory,
  sqlVersion,
  maxRejectedShare,
  zones,
}: Settings): Promise<Finding<SqlVersion>> {
  const version = await loadSqlVersion(sqlDirectory, sqlVersion);
  const executionDate = parseExecutionDate(new Date().toISOString().slice(0, 10));
  const plan = planRun(version, { executionDate, maxRejectedShare, rawRoot: zones.raw, rawParts: new Map() });
  stepsOfStages(plan, STAGES);
  return { message: `${version.name}, ${version.models.length.toString()} models`, value: version };
}

/** Whether DuckDB can bind every statement of the models. */
async function checkBinding(settings: Settings, signal: AbortSignal): Promise<Finding<undefined>> {
  const { files, faults } = await checkSql(settings, signal);
  assertNoFaults(faults);
  return found(`${files.toString()} files, over empty tables`);
}

async function examineMachine(
  examination: Examination,
  settings: Examined<Settings>,
  signal: AbortSignal,
): Promise<Examined<number>> {
  const engine = await examination.check("duckdb", [settings], ({ duckdb }) => checkDuckDb(duckdb, signal));
  await examination.check("memory", [engine], (bytes) => checkMemory(bytes));
  await examination.check("temporary folder", [settings], ({ duckdb }) =>
    checkTempFolder(duckdb.tempDirectory),
  );
  await examination.check("disk", [settings], (known) => checkDisks(foldersOf(known)));
  await examination.check("reports", [settings], (known) => checkReports(reportFolders(known)));
  return engine;
}

/** The folders for reports, metrics and events, by their settings. */
function reportFolders({ runReports, metricsFile, openLineage }: Settings): Record<string, string> {
  return {
    ...(isOnS3(runReports) ? {} : { RUN_REPORTS: runReports }),
    ...(metricsFile === undefined ? {} : { METRICS_FILE: path.dirname(metricsFile) }),
    ...(openLineage.file === undefined ? {} : { OPENLINEAGE_FILE: path.dirname(openLineage.file) }),
  };
}

/** The folders that a run writes below. */
function foldersOf({ zones, consumptionUrl, duckdb }: Settings): Record<string, string> {
  const { curated, provision } = zones;
  const [, database] = /^sqlite:(.*)$/.exec(consumptionUrl) ?? [];
  return {
    "temporary folder": duckdb.tempDirectory,
    ...(isOnS3(curated) ? {} : { curated }),
    ...(isOnS3(provision) ? {} : { provision }),
    ...(database === undefined ? {} : { database: path.dirname(path.resolve(database)) }),
  };
}

async function examineZones(
  examination: Examination,
  opened: Opened,
  known: {
    readonly settings: Examined<Settings>;
    readonly sql: Examined<SqlVersion>;
    readonly engine: Examined<unknown>;
  },
  signal: AbortSignal,
): Promise<Clocks> {
  const { settings, sql } = known;
  const zones = await examination.check("zones", [settings], async (checked) => {
    opened.zones = await openZones(checked, signal);
    return { message: "no overlap", value: opened.zones };
  });
  const onS3 = Object.values(settings.finding?.value.zones ?? {}).some(isOnS3);
  const engine = onS3
    ? await examination.check("httpfs", [settings, zones, known.engine], ({ duckdb }, { s3 }) =>
        checkHttpfs(duckdb, s3, signal),
      )
    : known.engine;
  const [raw, curated, provision] = await Promise.all([
    examination.check("raw zone", [sql, zones], checkRawFiles),
    examination.check("curated zone", [zones], (checked) => checkZone(checked.curated)),
    examination.check("provision zone", [zones], (checked) => checkZone(checked.provision)),
  ]);
  const writing = (name: "curated" | "provision", zone: Examined<unknown>) =>
    examination.check(`writing ${name}`, [settings, zones, zone, engine], ({ duckdb }, checked) => {
      // Without the SQL the tables are unknown, but it is still useful to know if the zone is writable.
      const models = sql.finding?.value.models ?? [];
      const tables = models.filter(isWritten).filter(({ layer }) => layer === name);
      const session = { settings: duckdb, s3: checked.s3, signal };
      return checkWriting(
        checked[name],
        tables.map(({ table }) => table),
        session,
      );
    });
  await Promise.all([writing("curated", curated), writing("provision", provision)]);
  const offset = zones.finding?.value.clockOffset() ?? 0;
  const hasAnswered = [raw, curated, provision].some(({ finding }) => finding !== undefined);
  return onS3 && (hasAnswered || offset !== 0) ? { S3: offset } : {};
}

async function examineDatabase(
  examination: Examination,
  opened: Opened,
  settings: Examined<Settings>,
  sql: Examined<SqlVersion>,
): Promise<Clocks> {
  const database = await examination.check("database", [settings], async ({ consumptionUrl }) => {
    opened.consumption = await openConsumptionUntouched(consumptionUrl);
    return checkServer(opened.consumption);
  });
  await examination.check("tables", [database, sql], ({ consumption }, version) =>
    checkTables(consumption, version),
  );
  await examination.check("rights", [database], ({ consumption }) => checkRights(consumption));
  const ahead = database.finding?.value.aheadMilliseconds;
  return ahead === undefined ? {} : { "the database": ahead };
}
