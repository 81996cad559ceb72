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

/** What a shell is opened with. */
export interface ShellContext {
  readonly settings: Settings;
  /** The execution date that the views show; undefined for the one that readers see. */
  readonly executionDate: ExecutionDate | undefined;
  /** Ends the shell, and the statement under way. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** A session with views over the zones, which reads them and writes nothing. */
export interface Shell {
  /** What each view is over, in the order of the models. */
  readonly holdings: readonly Holding[];
  /** Which date the views show. */
  readonly dates: ShellDates;
  /**
   * Runs statements one after the other, and gives the results of those that give rows, each to be read before the next.
   * @param signal cancels them; the shell continues.
   * @throws PipelineError INVALID_USAGE for SQL that is wrong or could write; CANCELLED.
   */
  run(sql: string, signal: AbortSignal): AsyncGenerator<StatementResult>;
}

/**
 * Opens a session on the zones as they are now, does something with it, and closes it.
 * @throws PipelineError if the settings, the models or a zone cannot be used.
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
    // Only these files, and not the zones: a new file in a zone is beyond the session, whatever would write it.
    const reach = {
      directories: [],
      files: found.flatMap(({ files }) => files.map(({ uri }) => uri)),
    };
    const session = { settings: settings.duckdb, s3: zones.s3, reach, signal, warn, pushesFilters: true };
    return await withDuckDb(session, (engine) =>
      engine.adHoc(async (run) => {
        // None of them gives rows.
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

/** What DuckDB says of a statement is for the person who has written it. */
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
  // DuckDB repeats names of files and values of the data as they are.
  const message = error.message.split("\n").map(printable).join("\n");
  const advice = adviceOn(error);
  return new PipelineError("INVALID_USAGE", advice === undefined ? message : `${message}\n${advice}`, {
    cause: error,
  });
}

/** What DuckDB cannot know. */
function adviceOn({ errorClass, message }: DuckDbError): string | undefined {
  if (errorClass === "Permission") return "The shell reads only the files of its views, and writes no files.";
  return message.includes('sniffing file ""')
    ? "A CSV file cannot be read. Run npx pipeline inspect to see which one, and why."
    : undefined;
}
