import { randomBytes } from "node:crypto";
import { messageOf, PipelineError } from "../../base/errors.js";
import type { S3Access } from "../../base/s3-access.js";
import { DuckDbError } from "../../engine/duckdb/duckdb-errors.js";
import { withDuckDb } from "../../engine/duckdb/duckdb.js";
import type { SqlVersion } from "../../models/load.js";
import { ignoredFilesOf, ignoredInWords } from "../../raw/file-notices.js";
import { findRawFiles } from "../../run/raw-input.js";
import type { DuckDbSettings } from "../../settings/settings.js";
import type { Zones } from "../../zones/open-zones.js";
import { STAGING, stagingOfRun, type Zone, type ZoneFile } from "../../zones/zone.js";
import { found, type Finding } from "./examination.js";

/** Whether there are raw files, and the first one is readable. */
export async function checkRawFiles(version: SqlVersion, zones: Zones): Promise<Finding<undefined>> {
  const inputs = await findRawFiles({ version, zones });
  const files = inputs.flatMap((input) => input.files);
  const [first] = files;
  if (first !== undefined) await readBeginning(zones.raw, first);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const ignored = ignoredInWords(ignoredFilesOf(inputs.flatMap((input) => input.ignored)));
  return found(
    `${files.length.toString()} raw files, ${bytes.toString()} bytes, in ${zones.raw.root}` +
      (ignored === undefined ? "" : `; ${ignored}`),
  );
}

async function readBeginning(zone: Zone, file: ZoneFile): Promise<void> {
  const bytes = zone.read(file);
  try {
    await bytes[Symbol.asyncIterator]().next();
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError(
      "RAW_FILE_UNREADABLE",
      `cannot read these raw files:\n  ${file.path}: ${messageOf(error)}; allow this user to`,
      { cause: error },
    );
  } finally {
    bytes.destroy();
  }
}

/** Whether a zone is reachable, and can be listed. */
export async function checkZone(zone: Zone): Promise<Finding<undefined>> {
  await zone.list(STAGING);
  return found(zone.root);
}

/** The options for DuckDB to write a probe file. */
export interface ProbeSession {
  readonly settings: DuckDbSettings;
  readonly s3: S3Access | undefined;
  readonly signal: AbortSignal;
}

/**
 * Whether a run can write into a zone. DuckDB writes a file below `_staging/` as a run does, and reads it. The zone
 * copies it as a commit does. Then everything is removed. The message names features that the server lacks, even if a
 * run works without them. A commit must be able to write into the folders of the tables.
 */
export async function checkWriting(
  zone: Zone,
  tables: readonly string[],
  session: ProbeSession,
): Promise<Finding<undefined>> {
  for (const table of tables) await zone.assertReplaceable(table);
  const runId = `doctor-${randomBytes(6).toString("hex")}`;
  const missing: string[] = [];
  try {
    missing.push(...(await writeProbe(zone, runId, session)));
  } catch (error) {
    // If the zone is not writable, that is the fault to report, and not the failed removal.
    await zone.sweep(STAGING, runId).catch(() => undefined);
    throw explained(zone, error);
  }
  await zone.sweep(STAGING, runId, { warn: (message) => missing.push(message) });
  const done = zone.tryCommit === undefined ? "written, read" : "written, read, copied";
  return found([`a file was ${done} and removed`, ...missing].join(". But "));
}

/** A little more than DuckDB's largest request body of 10 MB: a proxy may refuse bodies of that size. */
const LARGE_PROBE = "SELECT hash(number) AS probe FROM range(1400000) AS numbers (number)";

/** @returns the features that the server lacks. */
async function writeProbe(zone: Zone, runId: string, session: ProbeSession): Promise<string[]> {
  const staged = await zone.stage(runId, { table: "probe", partitionKey: runId });
  const reach = { directories: [`${zone.root}/${stagingOfRun(runId)}`], files: [] };
  const options = { ...session, reach, warn: () => undefined, leavesNoTrace: true };
  await withDuckDb(options, async (engine) => {
    await engine.writeParquet(zone.tryCommit === undefined ? "SELECT 1 AS probe" : LARGE_PROBE, staged.uri);
    await engine.attachFiles("curated.probe", [staged.uri]);
    await engine.rows("SELECT bit_xor(probe) AS probe FROM curated.probe");
  });
  return (await zone.tryCommit?.(staged)) ?? [];
}

function explained(zone: Zone, error: unknown): unknown {
  if (!(error instanceof DuckDbError)) return error;
  return new PipelineError(
    "ZONE_NOT_USABLE",
    `cannot write to the zone ${zone.root}: ${error.onOneLine}; give this user the rights listed in docs/operating.md`,
    { cause: error },
  );
}
