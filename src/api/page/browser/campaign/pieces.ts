import { RecordCutter } from "./record-cutter.js";
import { type Bytes, isBlank, joined, recordEnd } from "./records.js";

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** A part of a file of CSV, which with the header in front is a file of its own. */
export interface Piece {
  readonly header: Bytes;
  readonly records: Bytes;
}

/**
 * Cuts a file of CSV into pieces of whole records. A file without records is one piece.
 * @param limit how many bytes the records of a piece may have.
 */
export async function* piecesOf(chunks: AsyncIterable<Bytes>, limit: number): AsyncGenerator<Piece> {
  const cutter = new RecordCutter(limit);
  let opening: Bytes = new Uint8Array();
  let header: Bytes | undefined;
  let pieces = 0;
  for await (const chunk of chunks) {
    let records = chunk;
    if (header === undefined) {
      opening = joined(opening, chunk);
      const end = headerEnd(opening);
      // What is no header is the service's to refuse.
      if (end === undefined && opening.length <= limit) continue;
      header = opening.slice(0, end);
      records = opening.subarray(header.length);
    }
    for (const full of cutter.take(records)) {
      pieces += 1;
      yield { header, records: full };
    }
  }
  if (pieces === 0 || cutter.rest.length > 0) yield { header: header ?? opening, records: cutter.rest };
}

/** Where the header ends: it is the first line that is not blank. */
function headerEnd(bytes: Bytes): number | undefined {
  let start = BYTE_ORDER_MARK.every((byte, place) => bytes[place] === byte) ? BYTE_ORDER_MARK.length : 0;
  let end = recordEnd(bytes, start);
  while (end !== undefined && isBlank(bytes, start, end)) {
    start = end;
    end = recordEnd(bytes, start);
  }
  return end;
}
