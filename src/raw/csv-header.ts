import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { messageOf, PipelineError } from "../errors.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import type { Findings } from "./faults.js";
import type { InspectedFile } from "./inspect.js";

/** DuckDB's own limit of a line. */
const MAX_HEADER_BYTES = 2_000_000;

/** Reads the columns of a CSV file from its header line. */
export async function inspectCsvFile(zone: Zone, file: ZoneFile): Promise<Findings<InspectedFile>> {
  try {
    const header = await (file.path.endsWith(".gz")
      ? compressedHeader(zone, file)
      : firstRecord(zone.read(file)));
    const columns = header.map((name) => ({ name, duckDbName: name, type: "VARCHAR" }));
    return { results: [{ file, format: "csv", columns }], faults: [] };
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    return { results: [], faults: [{ path: file.path, reason: messageOf(error) }] };
  }
}

/** Reads the file to its end: DuckDB does not notice a compressed file that was cut short. */
async function compressedHeader(zone: Zone, file: ZoneFile): Promise<string[]> {
  const chunks: Buffer[] = [];
  let length = 0;
  const keepBeginning = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (length < MAX_HEADER_BYTES) chunks.push(chunk);
      length += chunk.length;
      done();
    },
  });
  await pipeline(zone.read(file), createGunzip(), keepBeginning);
  return firstRecord(Readable.from(chunks));
}

async function firstRecord(bytes: Readable): Promise<string[]> {
  const records = parse({ bom: true, to: 1, relax_column_count: true, max_record_size: MAX_HEADER_BYTES });
  bytes.on("error", (error) => records.destroy(error));
  bytes.pipe(records);
  try {
    for await (const record of records) return record as string[];
    return [];
  } finally {
    bytes.destroy();
  }
}
