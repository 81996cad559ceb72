import { PipelineError } from "../base/errors.js";
import { printable, counting } from "../base/words.js";
import { readRuns } from "../consumption/recorded-runs.js";
import { readSqlVersion, type SqlTexts } from "../consumption/sql-versions.js";
import { hashOfTexts, parseSqlVersion, type SqlVersion } from "../models/load.js";
import { isWritten } from "../models/model.js";
import type { InputFile, OutputTable, RunReport } from "../record/run-record.js";
import { trustedReportOf } from "../record/run-record.js";
import { RunActivity } from "../run/activity.js";
import { filesAtRest, hashAtRest } from "../run/build.js";
import type { StagedPartition } from "../run/commit.js";
import type { RunContext, RawInput } from "../run/context.js";
import { findRawFiles, inputFilesOf, readingUnchanged } from "../run/raw-input.js";
import type { Settings } from "../settings/settings.js";
import { parseExecutionDate } from "../voucher/execution-date.js";
import { isManifest } from "../zones/manifest.js";
import { buildAside, settingsAside, zonesAside } from "./build-aside.js";
import { looking } from "./looking.js";

/** A difference from the time of the run: in an input, the SQL or the engine. */
export interface Moved {
  readonly what: "input" | "sql" | "engine";
  /** The path of a raw file or a partition. */
  readonly name: string;
  readonly then: string;
  readonly now: string;
}

/**
 * A partition that the run wrote. One file is compared by its SHA-256. Many files are compared by their number of
 * rows, because a cluster divides rows differently each time.
 */
export interface ReplayedTable {
  readonly model: string;
  readonly compared: "bytes" | "rows";
  readonly then: string;
  readonly now: string;
}

export interface ReplayReport {
  readonly run_id: string;
  readonly execution_date: string;
  /** Whether every compared partition is the same. */
  readonly is_same: boolean;
  readonly tables: readonly ReplayedTable[];
  readonly moved: readonly Moved[];
}

export interface ReplayRequest {
  readonly runId: string;
  /** Whether the replay uses the current SQL instead of the SQL of the run. */
  readonly usesCurrentSql: boolean;
}

/**
 * Rebuilds a past run in a temporary folder: from its input files, with its SQL. It changes neither zones nor
 * database.
 * @throws PipelineError RUN_NOT_REPLAYABLE if the run wrote nothing, or if its stored SQL was changed;
 * RAW_FILES_CHANGED if a raw file changes meanwhile.
 */
export async function replayRun(
  settings: Settings,
  { runId, usesCurrentSql }: ReplayRequest,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<ReplayReport> {
  const { report, recorded } = await findRun(settings, runId);
  return looking(settings, signal, async (opened) => {
    const zones = await opened.zones();
    const folder = await opened.folder();
    const version = usesCurrentSql ? await opened.sql() : recorded();
    const context: ReplayContext = {
      executionDate: parseExecutionDate(report.execution_date),
      settings: { ...settingsAside(settings), maxRejectedShare: report.max_rejected_share },
      version,
      zones: await zonesAside(zones, folder),
    };
    return await replay(context, report, signal, warn);
  });
}

type ReplayContext = Pick<RunContext, "executionDate" | "settings" | "version" | "zones">;

async function replay(
  context: ReplayContext,
  report: RunReport,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<ReplayReport> {
  const raw = await filesOfRun(context, report);
  return readingUnchanged({ signal, zones: context.zones }, raw, () =>
    replayFiles(context, report, raw, signal, warn),
  );
}

async function replayFiles(
  context: ReplayContext,
  report: RunReport,
  raw: readonly RawInput[],
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<ReplayReport> {
  const { version, zones } = context;
  const inputs = await inputFilesOf(zones.raw, raw);
  const isAtRest = (name: string) => report.at_rest.some(({ model }) => model === name);
  const atRestFiles = await filesAtRest(
    context,
    version.models.filter(isWritten).filter(({ name }) => isAtRest(name)),
  );
  const { run_id: runId, stages } = report;
  const watch = { signal, activity: new RunActivity(), warn };
  return buildAside(context, { raw, stages, runId, atRestFiles }, watch, async (engine, built) => {
    const { staged, atRest } = built;
    const tables = report.tables.map((table) =>
      replayedTable(
        table,
        staged.find(({ model }) => model.name === table.model),
      ),
    );
    return {
      run_id: report.run_id,
      execution_date: report.execution_date,
      is_same: tables.every(({ then, now }) => then === now),
      tables,
      moved: [
        ...report.inputs.flatMap((file) => {
          const now = inputs.find(({ path: name }) => name === file.path);
          return difference("input", file.path, contentOf(file), now === undefined ? "" : contentOf(now));
        }),
        ...(await hashAtRest(atRest)).flatMap(({ model, sha256 }) => {
          const then = report.at_rest.find((table) => table.model === model);
          return difference("input", model, then?.sha256 ?? "", sha256);
        }),
        ...difference("sql", version.name, report.sql_hash, version.hash),
        ...difference("engine", "engine", report.engine ?? "", engine.version),
      ],
    };
  });
}

function replayedTable(then: OutputTable, now: StagedPartition | undefined): ReplayedTable {
  const hasManifest = [then, now].some((table) => table !== undefined && isManifest(table.uri));
  const tell = ({ rows, sha256 }: Pick<OutputTable, "rows" | "sha256">) =>
    hasManifest ? counting(rows, "row") : sha256;
  return {
    model: then.model,
    compared: hasManifest ? "rows" : "bytes",
    then: tell(then),
    now: now === undefined ? "missing" : tell(now),
  };
}

/** The current state of a run's raw files; new files do not count. */
async function filesOfRun(context: ReplayContext, { inputs, stages }: RunReport): Promise<RawInput[]> {
  if (!stages.includes("curate")) return [];
  const names = new Set(inputs.map(({ path: name }) => name));
  const found = (await findRawFiles(context)).map(({ files, ...input }) => ({
    ...input,
    files: files.filter((file) => names.has(file.path)),
  }));
  for (const { path: name } of found.flatMap(({ files }) => files)) names.delete(name);
  if (names.size === 0) return found;
  throw notReplayable(`its raw files no longer exist: ${[...names].map(printable).join(", ")}`);
}

/** The identity of an input's content. */
function contentOf({ sha256, version }: InputFile): string {
  return sha256 ?? version;
}

function difference(what: Moved["what"], name: string, then: string, now: string): Moved[] {
  return then === now ? [] : [{ what, name, then, now }];
}

/** A run and its SQL, which is checked at its first use. */
interface RecordedRun {
  readonly report: RunReport;
  readonly recorded: () => SqlVersion;
}

function findRun(settings: Settings, runId: string): Promise<RecordedRun> {
  return looking(settings, undefined, async (opened) => {
    const consumption = await opened.database();
    const [run] = consumption === undefined ? [] : await readRuns(consumption, { runId, limit: 1 });
    if (consumption === undefined || run === undefined) {
      throw new PipelineError(
        "INVALID_USAGE",
        `run ${printable(runId)} does not exist. List the runs with npx pipeline runs`,
      );
    }
    const report = trustedReportOf(run);
    if (report === null || report.tables.length === 0) {
      throw notReplayable(`run ${runId} (${run.outcome}) wrote nothing to rebuild`);
    }
    // The id becomes the name of a folder.
    if (!RUN_ID.test(runId)) {
      throw notReplayable(`${printable(runId)} is not a valid run id: somebody changed it`);
    }
    const texts = await readSqlVersion(consumption, run.sql_hash);
    if (texts === undefined) throw notReplayable(`the SQL of run ${runId} is not stored`);
    return { report, recorded: () => recordedSql(report, run.sql_hash, texts) };
  });
}

const RUN_ID = /^\d{4}-\d{2}-\d{2}T\d{6}-[0-9a-f]+$/;
/** A possible name of a file of a version. */
const SQL_FILE = /^v[1-9]\d*(\/(?!\.)[^/\\\p{Cc}]+)+$/u;

/** The SQL of a run. It is never written to disk, because others may write to the database. */
function recordedSql({ run_id, sql_version }: RunReport, hash: string, texts: SqlTexts): SqlVersion {
  const names = [...texts.keys()].sort();
  const wrong = names.find((name) => !SQL_FILE.test(name) || !name.startsWith(`${sql_version}/`));
  if (wrong !== undefined) {
    throw notReplayable(
      `the stored SQL of run ${run_id} has a file ${printable(JSON.stringify(wrong))}, ` +
        `which is outside the folder ${printable(sql_version)}: somebody changed the table sql_versions`,
    );
  }
  const sorted = new Map(names.map((name) => [name, texts.get(name) ?? ""]));
  if (hashOfTexts(sorted) !== hash) {
    throw notReplayable(
      `the stored SQL of run ${run_id} does not have the hash ${hash}: ` +
        "somebody changed the table sql_versions. Use --current-sql for the current SQL",
    );
  }
  return parseSqlVersion(sql_version, sorted);
}

function notReplayable(what: string): PipelineError {
  return new PipelineError("RUN_NOT_REPLAYABLE", what);
}
