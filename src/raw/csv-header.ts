import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { isAbort, messageOf, PipelineError } from "../errors.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import { CsvCheck, MAX_ROW_BYTES } from "./csv-check.js";
import type { Findings } from "./faults.js";
import type { InspectedFile } from "./inspect.js";

const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/**
 * Reads the columns of a CSV file from its header line, and the file to its end: DuckDB notices neither a compressed file
 * that was cut short nor every wrong quote, nor a row that is too long for it, nor every byte that is not UTF-8.
 */
export async function inspectCsvFile(zone: Zone, file: ZoneFile): Promise<Findings<InspectedFile>> {
  try {
    const header = await firstRecord(await readThrough(zone, file));
    // DuckDB would take the rest of such a header, and with it all rows, for something else, and say nothing.
    if (header.some((name) => /[\r\n]/.test(name)))
      throw new Error("the header line has a name with a line break");
    const columns = header.map((name) => ({ name, duckDbName: name, type: "VARCHAR" }));
    return { results: [{ file, format: "csv", columns }], faults: [] };
  } catch (error) {
    if (error instanceof PipelineError || isAbort(error)) throw error;
    return { results: [], faults: [{ path: file.path, reason: messageOf(error) }] };
  }
}

/** Checks all bytes of a file, and gives those that it begins with. */
async function readThrough(zone: Zone, file: ZoneFile): Promise<Buffer> {
  const beginning: Buffer[] = [];
  const check = new CsvCheck();
  let length = 0;
  const checked = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const isFirst = length === 0;
      if (length < MAX_ROW_BYTES) beginning.push(chunk);
      length += chunk.length;
      try {
        check.check(
          isFirst && chunk.indexOf(BYTE_ORDER_MARK) === 0 ? chunk.subarray(BYTE_ORDER_MARK.length) : chunk,
        );
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(messageOf(error)));
      }
    },
  });
  if (file.path.endsWith(".gz")) await pipeline(zone.read(file), createGunzip(), checked);
  else await pipeline(zone.read(file), checked);
  check.end();
  return Buffer.concat(beginning);
}

async function firstRecord(bytes: Buffer): Promise<string[]> {
  const records = parse({ bom: true, to: 1, relax_column_count: true, max_record_size: MAX_ROW_BYTES });
  Readable.from([bytes]).pipe(records);
  for await (const record of records) return record as string[];
  return [];
}
