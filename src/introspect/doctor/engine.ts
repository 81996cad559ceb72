import type { S3Access } from "../../base/s3-access.js";
import { textOf } from "../../engine/builder.js";
import { withDuckDb } from "../../engine/duckdb/duckdb.js";
import { installExtension } from "../../engine/duckdb/httpfs.js";
import type { DuckDbSettings, SparkSettings, Settings } from "../../settings/settings.js";
import { found, type Finding } from "./examination.js";

const NOTHING = { directories: [], files: [] };
const BYTES: Record<string, number> = {
  bytes: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** Whether DuckDB starts with the settings; gives its memory limit in bytes. */
export function checkDuckDb(settings: DuckDbSettings, signal: AbortSignal): Promise<Finding<number>> {
  const session = { settings, reach: NOTHING, signal, warn: () => undefined, leavesNoTrace: true };
  return withDuckDb(session, async (engine) => {
    const [row = {}] = await engine.rows(
      "SELECT current_setting('memory_limit') AS memory, CAST(current_setting('threads') AS VARCHAR) AS threads",
    );
    const memory = textOf(row, "memory");
    return {
      message: `${engine.version}, ${memory} of memory, ${textOf(row, "threads")} threads`,
      value: bytesOf(memory),
    };
  });
}

/** Whether the extension for S3 is installed, and accepts the keys. */
export function checkHttpfs(
  settings: DuckDbSettings,
  s3: S3Access | undefined,
  signal: AbortSignal,
): Promise<Finding<undefined>> {
  const session = { settings, reach: NOTHING, s3, signal, warn: () => undefined, leavesNoTrace: true };
  return withDuckDb(session, (engine) => Promise.resolve(found(`of ${engine.version}, and keys`)));
}

/**
 * Whether the cluster of ENGINE accepts the connection, has a supported version, and can read the zones.
 * @param zones their addresses.
 */
export async function checkCluster(
  settings: SparkSettings,
  zones: readonly string[],
  signal: AbortSignal,
): Promise<Finding<undefined>> {
  const { assertReaches, openSparkSession } = await import("../../engine/spark/spark-session.js");
  const session = await openSparkSession(settings, signal);
  try {
    for (const zone of zones) await assertReaches(session, zone);
  } finally {
    await session.close();
  }
  return found(
    `${session.version} at ${settings.host}:${settings.port.toString()}, and it can reach the zones`,
  );
}

/** A size in DuckDB's form: `12.4 GiB`. */
function bytesOf(size: string): number {
  const [, number, unit = ""] = /^([0-9.]+) ([A-Za-z]+)$/.exec(size) ?? [];
  const factor = BYTES[unit];
  if (number === undefined || factor === undefined) throw new RangeError(`${size} is not a size`);
  return Number(number) * factor;
}

/**
 * Installs the engine's extension for S3, so that later runs need no network for it.
 * @returns the version of DuckDB that it is for.
 * @throws PipelineError EXTENSION_MISSING if it is not available.
 */
export function installS3Extension({ duckdb }: Settings): Promise<string> {
  return installExtension(duckdb);
}
