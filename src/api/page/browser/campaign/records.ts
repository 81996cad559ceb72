/** What a file is made of. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const QUOTE = 0x22;
export const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Where the record that begins at a place ends, with its newline. Within quotes a newline ends nothing; a quote that
 * stands for itself is written twice, and so changes nothing.
 * @returns undefined where its end has not come.
 */
export function recordEnd(bytes: Bytes, start: number): number | undefined {
  let isQuoted = false;
  for (let place = start; place < bytes.length; place += 1) {
    const byte = bytes[place];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted) return place + 1;
  }
  return undefined;
}

/** Whether a record is a line without anything: the service does not count it. */
export function isBlank(bytes: Bytes, start: number, end: number): boolean {
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
