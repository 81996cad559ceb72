import type { PricedLine, PriceSummary } from "../../../v1/campaign-schema.js";
import { PRICED_CSV_HEADER, pricedCsv } from "../../../v1/priced-csv.js";
import { readAnswer } from "./answered-piece.js";
import type { Asking } from "./ask.js";
import { fileChunks } from "./file-chunks.js";
import { piecesOf } from "./pieces.js";
import { pricePiece } from "./price-piece.js";
import { publicationTag, PublishedAnew } from "./publication-tag.js";
import { SummedUp } from "./summed.js";

/**
 * A browser reads no answer before all is sent, and the service answers while it reads: so what is sent must fit into the
 * buffers on its way.
 */
const PIECE_BYTES = 131_072;
const FAULTY_SHOWN = 100;

/** A file that is priced. */
export interface Campaign {
  readonly summary: PriceSummary;
  /** The first of them. */
  readonly faulty: readonly PricedLine[];
  /** The same bytes as the service writes. */
  readonly csv: Blob;
  readonly seconds: number;
}

/** How far a file is. */
export interface Progress {
  readonly lines: number;
  /** From 0 to 1. */
  readonly share: number;
  readonly seconds: number;
}

interface PriceFileOptions extends Asking {
  readonly executionDate: string;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Has the service price a file, piece by piece.
 * @throws Trouble where it cannot be priced, and whatever reading the file throws.
 */
export async function priceFile(
  file: File,
  query: URLSearchParams,
  { executionDate, onProgress, ...asking }: PriceFileOptions,
): Promise<Campaign> {
  const start = performance.now();
  const secondsGone = () => (performance.now() - start) / 1_000;
  const tag = await publicationTag(executionDate, asking);
  const totals = new SummedUp();
  const faulty: PricedLine[] = [];
  const csv: Blob[] = [new Blob([PRICED_CSV_HEADER])];
  let bytes = 0;
  let answer: string | undefined;
  const take = (text: string) => {
    const { lines, summary } = readAnswer(text, totals.lines);
    if (faulty.length < FAULTY_SHOWN && summary.faulty > 0)
      faulty.push(...lines.filter(({ error }) => error !== null).slice(0, FAULTY_SHOWN - faulty.length));
    totals.add(summary);
    csv.push(new Blob([pricedCsv(lines)]));
    onProgress({ lines: totals.lines, share: bytes / file.size, seconds: secondsGone() });
  };
  const chunks = fileChunks(file, (more) => {
    bytes += more;
  });
  for await (const piece of piecesOf(chunks, PIECE_BYTES)) {
    asking.signal.throwIfAborted();
    const asked = pricePiece(piece, query, asking);
    // The service is at this piece while the answer to the one before is read.
    if (answer !== undefined) take(answer);
    answer = await asked;
  }
  if (answer !== undefined) take(answer);
  if ((await publicationTag(executionDate, asking)) !== tag) throw new PublishedAnew();
  return {
    summary: totals.summary,
    faulty,
    csv: new Blob(csv, { type: "text/csv;charset=utf-8" }),
    seconds: secondsGone(),
  };
}
