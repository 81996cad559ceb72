import type { S3Access } from "../base/s3-access.js";
import { loadSqlVersion } from "../models/load.js";
import { reachSql, S3_SQL, UTC_SQL } from "../models/shell-init.js";
import type { Settings } from "../settings/settings.js";
import { openZones } from "../zones/open-zones.js";
import { findShellDates, type ShellDates } from "./shell-dates.js";
import type { ShellContext } from "./shell.js";
import { findViewFiles, holdingsOf, viewsOver, type Holding } from "./view-files.js";

/** The start options of DuckDB's own command line, with the views of the shell. */
export interface DuckDbStart {
  /** The text of its init file. It contains no keys, but reads them from the environment. */
  readonly init: string;
  /** The environment variables, including the keys of S3. Undefined removes a variable. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly holdings: readonly Holding[];
  /** The execution date of the views. */
  readonly dates: ShellDates;
}

/**
 * Prepares DuckDB's own command line for the current zones. Keys from a profile or a role are resolved.
 * @throws PipelineError if the settings, the models or a zone are not usable.
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

/** The same as in the engine: a listed file is read, whatever its name is. */
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
