import path from "node:path";
import type { Publication } from "../voucher/publication.js";
import { readSegments, SEGMENTS_FILE } from "../voucher/read-segments.js";
import { parseSegments, type Segments } from "../voucher/segments.js";
import type { Consumption } from "./consumption.js";
import { readSqlVersion } from "./sql-versions.js";

/**
 * Reads the segments that the vouchers of a publication were put into, whatever the newest SQL says.
 * @param sqlDirectory has those of publications that are older than the record of their SQL.
 * @param warn is told where they are taken from there.
 */
export async function readSegmentsOf(
  consumption: Consumption,
  { sqlHash, sqlVersion }: Publication,
  sqlDirectory: string,
  warn: (message: string) => void,
): Promise<Segments> {
  const file = path.posix.join(sqlVersion, SEGMENTS_FILE);
  const text = (await readSqlVersion(consumption, sqlHash))?.get(file);
  if (text !== undefined) return parseSegments(text, `${file} of the SQL ${sqlHash}`);
  warn(`the SQL ${sqlHash} of a publication was not kept: its segments are those of ${file}`);
  return readSegments(path.join(sqlDirectory, sqlVersion));
}
