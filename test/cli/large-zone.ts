import path from "node:path";
import { writeParquet } from "../duckdb.js";
import { makeFolder, PROJECT } from "../workspace.js";

/**
 * A raw zone with which a run of one thread is busy for longer than a second.
 * @param copies of the sample's 20,000 rows; half of them are enough where a run need only be at it when a signal comes.
 */
export async function largeRawZone(copies = 50): Promise<string> {
  const zone = await makeFolder();
  const sample = path.join(PROJECT, "data/raw/vouchers/*.parquet");
  await writeParquet(
    path.join(zone, "vouchers/large.parquet"),
    `SELECT sample.* FROM read_parquet('${sample}') AS sample, range(${copies})`,
  );
  return zone;
}
