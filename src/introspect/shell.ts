import { PipelineError } from "../base/errors.js";
import { printable } from "../base/words.js";
import type { AdHocRun, StatementResult } from "../engine/duckdb/duckdb-engine.js";
import { DuckDbError } from "../engine/duckdb/duckdb-errors.js";
import { withDuckDb } from "../engine/duckdb/duckdb.js";
import { loadSqlVersion } from "../models/load.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { openZones } from "../zones/open-zones.js";
import { findShellDates, type ShellDates } from "./shell-dates.js";
import { findViewFiles, holdingsOf, viewsOver, type Holding } from "./view-files.js";

export type { Holding, ShellDates, StatementResult };

/** The options of a shell. */
export interface ShellContext {
  readonly settings: Settings;
  /** The execution date of the views; undefined for the one that readers see. */
  readonly executionDate: ExecutionDate | undefined;
  /** Ends the shell, and the current statement. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** A session with views over the zones. It only reads them. */
export interface Shell {
  /** The files of each view, in the order of the models. */
  readonly holdings: readonly Holding[];
  /** The execution date of the views. */
  readonly dates: ShellDates;
  /**
   * Runs statements one after the other. It gives the results of those that return rows. Each result must be read
   * before the next.
   * @param signal cancels them; the shell continues.
   * @throws PipelineError INVALID_USAGE for SQL that is invalid or could write; CANCELLED.
   */
  run(sql: string, signal: AbortSignal): AsyncGenerator<StatementResult>;
}

/**
 * Opens a session on the current zones, works with it, and closes it.
 * @throws PipelineError if the settings, the models or a zone are not usable.
 */
export async function withShell<Result>(
  { settings, executionDate, signal, warn }: ShellContext,
  use: (shell: Shell) => Promise<Result>,
): Promise<Result> {
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const zones = await openZones(settings);
  try {
    const found = await findViewFiles(version.models, zones, warn);
    const dates = await findShellDates(settings, found, executionDate);
    // The session can reach these files only, and not the zones. So no statement can create a file in a zone.
    const reach = {
      directories: [],
      files: found.flatMap(({ files }) => files.map(({ uri }) => uri)),
    };
    const session = { settings: settings.duckdb, s3: zones.s3, reach, signal, warn, pushesFilters: true };
    return await withDuckDb(session, (engine) =>
      engine.adHoc(async (run) => {
        // None of them returns rows.
        await run(`${viewsOver(found, version, zones)}\n\n${dates.sql}`, signal).next();
        return use({
          holdings: holdingsOf(found),
          dates,
          run: (sql, statementSignal) => explained(run, sql, statementSignal),
        });
      }),
    );
  } finally {
    zones.close();
  }
}

/** DuckDB's message about a statement is for the author of the statement. */
async function* explained(run: AdHocRun, sql: string, signal: AbortSignal): AsyncGenerator<StatementResult> {
  try {
    for await (const { columns, batches } of run(sql, signal)) {
      yield { columns, batches: () => explainedBatches(batches()) };
    }
  } catch (error) {
    throw asUsage(error);
  }
}

async function* explainedBatches<Batch>(batches: AsyncGenerator<Batch>): AsyncGenerator<Batch> {
  try {
    yield* batches;
  } catch (error) {
    throw asUsage(error);
  }
}

function asUsage(error: unknown): unknown {
  if (!(error instanceof DuckDbError)) return error;
  // DuckDB repeats names of files and values of the data without escapes.
  const message = error.message.split("\n").map(printable).join("\n");
  const advice = adviceOn(error);
  return new PipelineError("INVALID_USAGE", advice === undefined ? message : `${message}\n${advice}`, {
    cause: error,
  });
}

/** A hint that DuckDB cannot give. */
function adviceOn({ errorClass, message }: DuckDbError): string | undefined {
  if (errorClass === "Permission") return "The shell reads only the files of its views, and writes no files.";
  return message.includes('sniffing file ""')
    ? "A CSV file cannot be read. Run npx pipeline inspect to see which one, and why."
    : undefined;
}
