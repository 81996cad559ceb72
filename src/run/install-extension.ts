import { installExtension } from "../engine/httpfs.js";
import type { Settings } from "../settings/settings.js";

/**
 * Installs what the engine needs to work on S3, so that later runs need no network for it.
 * @returns the version of DuckDB that it is for.
 * @throws PipelineError EXTENSION_MISSING where it cannot be had.
 */
export function installS3Extension({ duckdb }: Settings): Promise<string> {
  return installExtension(duckdb);
}
