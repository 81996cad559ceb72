import { maybeJson } from "../http/bodies.js";
import { lineTooLong, MAX_LINE_BYTES } from "../http/streaming.js";

/**
 * The values of NDJSON, those of some lines at a time. Blank lines do not count.
 * @throws Problem where a line is too long.
 */
export async function* ndjsonLines(texts: AsyncIterable<string>): AsyncGenerator<unknown[]> {
  for await (const lines of linesOf(texts)) {
    const longLine = lines.findIndex(isTooLong);
    const readable = longLine === -1 ? lines : lines.slice(0, longLine);
    yield readable.filter((line) => line.trim() !== "").map(maybeJson);
    if (longLine !== -1) throw lineTooLong();
  }
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = "";
  for await (const text of texts) {
    const end = text.lastIndexOf("\n");
    if (end !== -1) yield (rest + text.slice(0, end)).split("\n");
    rest = end === -1 ? rest + text : text.slice(end + 1);
    if (rest.length > MAX_LINE_BYTES) throw lineTooLong();
  }
  yield [rest];
}

function isTooLong(line: string): boolean {
  return Buffer.byteLength(line) > MAX_LINE_BYTES;
}
