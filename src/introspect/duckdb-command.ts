import type { S3Access } from "../base/s3-access.js";
import { loadSqlVersion } from "../models/load.js";
import { reachSql, S3_SQL, UTC_SQL } from "../models/shell-init.js";
import type { Settings } from "../settings/settings.js";
import { openZones } from "../zones/open-zones.js";
import { findShellDates, type ShellDates } from "./shell-dates.js";
import type { ShellContext } from "./shell.js";
import { findViewFiles, holdingsOf, viewsOver, type Holding } from "./view-files.js";

/** What DuckDB's own command line is started with, to have the views of the shell. */
export interface DuckDbStart {
  /** The text of its init file. It holds no keys, but asks the environment for them. */
  readonly init: string;
  /** What the environment has to say; undefined if it must say nothing. Keys of S3 are among it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly holdings: readonly Holding[];
  /** Which date the views show. */
  readonly dates: ShellDates;
}

/**
 * Prepares DuckDB's own command line for the zones as they are now. Keys that come from a profile or a role are resolved.
 * @throws PipelineError if the settings, the models or a zone cannot be used.
 */
export async function prepareDuckDb({
  settings,
  executionDate,
  warn,
}: Omit<ShellContext, "signal">): Promise<DuckDbStart> {
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const zones = await openZones(settings);
  try {
    const found = await findViewFiles(version.models, zones, warn);
    const dates = await findShellDates(settings, found, executionDate);
    const statements = [
      ...(zones.s3 === undefined ? [] : [S3_SQL, KEYS_ARE_NAMES]),
      UTC_SQL,
      viewsOver(found, version, zones),
      dates.sql,
      reachSql(version),
    ];
    return {
      init: `${statements.join("\n\n")}\n`,
      environment: zones.s3 === undefined ? {} : await s3Environment(settings, zones.s3),
      holdings: holdingsOf(found),
      dates,
    };
  } finally {
    zones.close();
  }
}

/** As in the engine: what is listed is read, whatever it is called. */
const KEYS_ARE_NAMES = "SET s3_url_compatibility_mode = TRUE;";

async function s3Environment(
  { duckdb, s3 }: Settings,
  access: S3Access,
): Promise<DuckDbStart["environment"]> {
  const { accessKeyId, secretAccessKey, sessionToken } = await access.credentials();
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_REGION: access.region,
    AWS_ENDPOINT_URL_S3: access.endpoint,
    S3_URL_STYLE: access.urlStyle,
    AWS_CA_BUNDLE: s3.caBundle,
    DUCKDB_EXTENSION_DIRECTORY: duckdb.extensionDirectory,
    DUCKDB_EXTENSION_REPOSITORY: duckdb.extensionRepository,
  };
}
