import { type AnsweredPiece, readAnswer } from "./answered-piece.js";
import type { Asking } from "./ask.js";
import { fileChunks } from "./file-chunks.js";
import { firstRecords } from "./first-records.js";
import { piecesOf } from "./pieces.js";
import { pricePiece } from "./price-piece.js";

const LINES_SHOWN = 20;
/** Room for as many lines of the longest kind that the service reads would be too much; for usual ones this is plenty. */
const READ_BYTES = 65_536;

/** Has the service price the first lines of a file. */
export async function previewFile(
  file: File,
  query: URLSearchParams,
  asking: Asking,
): Promise<AnsweredPiece> {
  for await (const { header, records } of piecesOf(
    fileChunks(file, () => undefined),
    READ_BYTES,
  ))
    return readAnswer(
      await pricePiece({ header, records: firstRecords(records, LINES_SHOWN) }, query, asking),
      0,
    );
  throw new Error("a file has at least one piece");
}
