import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse/sync";
import { isAbort, messageOf, PipelineError } from "../base/errors.js";
import { machineFault } from "../base/machine-faults.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import { CsvCheck } from "./csv-check.js";
import type { Findings } from "./faults.js";
import type { FileColumn, InspectedFile } from "./inspect.js";

/** DuckDB divides files of 8 MB and more between threads. One that begins within a quoted value takes its lines for rows. */
const DIVIDED_FROM_BYTES = 4_000_000;

/**
 * Reads the columns of a CSV file from its header line, and the file to its end: DuckDB notices neither a compressed file
 * that was cut short nor every wrong quote, nor empty fields that a row has too many, nor a row that is too long for it, nor
 * every byte that is not UTF-8. The columns of a file at fault are told if its header line was read.
 */
export async function inspectCsvFile(zone: Zone, file: ZoneFile): Promise<Findings<InspectedFile>> {
  const check = new CsvCheck();
  const header: Buffer[] = [];
  let reason: string | undefined;
  try {
    await readThrough(zone, file, check, header);
  } catch (error) {
    if (error instanceof PipelineError || isAbort(error)) throw error;
    const fault = machineFault(error);
    if (fault !== undefined) throw fault;
    reason = reasonOf(error);
  }
  const columns = columnsOf(check, Buffer.concat(header));
  // DuckDB would take the rest of such a header, and with it all rows, for something else, and say nothing.
  if (columns.some(({ name }) => /[\r\n]/.test(name)))
    reason ??= "the header line has a name with a line break";
  const isReadInOrder = check.hasQuotedLineBreaks && check.bytes >= DIVIDED_FROM_BYTES;
  const result: InspectedFile = {
    file,
    format: "csv",
    columns,
    rows: check.rows,
    ...(isReadInOrder ? { isReadInOrder } : {}),
  };
  return {
    results: columns.length === 0 && reason !== undefined ? [] : [result],
    faults: reason === undefined ? [] : [{ path: file.path, reason }],
  };
}

/**
 * Checks all bytes of a file.
 * @param beginning gets the bytes that the header line is in.
 */
async function readThrough(zone: Zone, file: ZoneFile, check: CsvCheck, beginning: Buffer[]): Promise<void> {
  const checked = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (check.header === undefined) beginning.push(chunk);
      try {
        check.check(chunk);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(messageOf(error)));
      }
    },
  });
  if (file.path.endsWith(".gz")) await pipeline(zone.read(file), createGunzip(), checked);
  else await pipeline(zone.read(file), checked);
  check.end();
}

function columnsOf({ header }: CsvCheck, beginning: Buffer): FileColumn[] {
  if (header === undefined) return [];
  const [names = []] = parse(beginning.subarray(header.begin, header.end), { relax_column_count: true });
  return names.map((name) => ({ name, duckDbName: name, type: "VARCHAR" }));
}

/** What zlib says of a gzip file, by its codes. */
const GZIP_FAULTS: Readonly<Record<string, string>> = {
  "unexpected end of file": "its gzip data was cut short; copy the file again",
  "incorrect header check": "it has bytes that are not gzip; compress the CSV again with gzip",
};

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  if (!(error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))) return message;
  return GZIP_FAULTS[message] ?? `its gzip data is damaged (${message}); copy the file again`;
}
