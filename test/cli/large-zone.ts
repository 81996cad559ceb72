import path from "node:path";
import { writeParquet } from "../duckdb.js";
import { makeFolder, PROJECT } from "../workspace.js";

/** A raw zone with a million rows, with which a run of one thread is busy for longer than a second. */
export async function largeRawZone(): Promise<string> {
  const zone = await makeFolder();
  const sample = path.join(PROJECT, "data/raw/vouchers/*.parquet");
  await writeParquet(
    path.join(zone, "vouchers/large.parquet"),
    `SELECT sample.* FROM read_parquet('${sample}') AS sample, range(50)`,
  );
  return zone;
}
