/** What a file is made of. */
export type Bytes = Uint8Array<ArrayBuffer>;

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

const GZIP = [0x1f, 0x8b] as const;

/**
 * What a file has, decompressed where it is gzip.
 * @param onRead is told how many bytes of the file itself were read more.
 * @throws TypeError where a compressed file is broken.
 */
export async function* fileChunks(file: Blob, onRead: (bytes: number) => void): AsyncGenerator<Bytes> {
  const counting = new TransformStream<Bytes, Bytes>({
    transform: (chunk, controller) => {
      onRead(chunk.length);
      controller.enqueue(chunk);
    },
  });
  const read = file.stream().pipeThrough(counting);
  const reader = (
    (await isGzip(file)) ? read.pipeThrough(new DecompressionStream("gzip")) : read
  ).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // Who stops reading needs no more of the file; one that is broken cannot be read on anyway.
    await reader.cancel().catch(() => undefined);
  }
}

async function isGzip(file: Blob): Promise<boolean> {
  const opening = new Uint8Array(await file.slice(0, GZIP.length).arrayBuffer());
  return GZIP.every((byte, place) => opening[place] === byte);
}

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

/**
 * Cuts the records of CSV into pieces of whole records, as long as they may be. Only a record that is longer than a piece
 * may be is not whole: whoever reads it is to refuse it.
 */
class RecordCutter {
  readonly #limit: number;
  /** What is not in a piece yet. */
  #bytes: Bytes = new Uint8Array();
  /** How much of it was looked at. */
  #seen = 0;
  /** Where the last whole record in it ends. */
  #end = 0;
  #isQuoted = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes what comes next, and gives the pieces that are full. */
  take(chunk: Bytes): Bytes[] {
    const bytes = joined(this.#bytes, chunk);
    const pieces: Bytes[] = [];
    let [start, end, isQuoted] = [0, this.#end, this.#isQuoted];
    for (let place = this.#seen; place < bytes.length; place += 1) {
      const byte = bytes[place];
      if (byte === QUOTE) isQuoted = !isQuoted;
      // Where nothing ends for so long, the record has no right end.
      const isOverlong = place - start >= this.#limit && end === start;
      if (isOverlong) end = place;
      if (place - start >= this.#limit) {
        pieces.push(bytes.subarray(start, end));
        start = end;
      }
      if (byte === NEWLINE && !isQuoted) end = place + 1;
    }
    this.#bytes = bytes.slice(start);
    this.#seen = this.#bytes.length;
    this.#end = end - start;
    this.#isQuoted = isQuoted;
    return pieces;
  }

  /** What has not filled a piece. */
  get rest(): Bytes {
    return this.#bytes;
  }
}

/**
 * Where the record that begins at a place ends, with its newline. Within quotes a newline ends nothing; a quote that
 * stands for itself is written twice, and so changes nothing.
 * @returns undefined where its end has not come.
 */
function recordEnd(bytes: Bytes, start: number): number | undefined {
  let isQuoted = false;
  for (let place = start; place < bytes.length; place += 1) {
    const byte = bytes[place];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted) return place + 1;
  }
  return undefined;
}

/** Whether a record is a line without anything: the service does not count it. */
function isBlank(bytes: Bytes, start: number, end: number): boolean {
  const length = end - start;
  return (
    (length === 1 && bytes[start] === NEWLINE) ||
    (length === 2 && bytes[start] === RETURN && bytes[start + 1] === NEWLINE)
  );
}

/** Bytes one after the other. */
export function joined(first: Bytes, second: Bytes): Bytes {
  if (first.length === 0) return second;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** The first records, blank lines not counted. */
export function firstRecords(records: Bytes, count: number): Bytes {
  let found = 0;
  let start = 0;
  while (found < count && start < records.length) {
    const end = recordEnd(records, start) ?? records.length;
    if (!isBlank(records, start, end)) found += 1;
    start = end;
  }
  return records.subarray(0, start);
}
