import type { PricedLine, PriceGroup, PriceSummary } from "../../../v1/campaign-schema.js";
import { PRICED_CSV_HEADER, pricedCsv } from "../../../v1/priced-csv.js";
import { ask, type Asking, BrokenOff, PricingError, publicationTag, PublishedAnew } from "./ask-service.js";
import { fileChunks, firstRecords, joined, type Piece, piecesOf } from "./csv-pieces.js";

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
 * @throws PricingError where it cannot be priced, and whatever reading the file throws.
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

const ADDRESS = "/v1/campaigns/price";

/**
 * Has the service price a piece of a file.
 * @returns the NDJSON of its answer.
 * @throws PricingError that says what the service has said.
 */
async function pricePiece(
  { header, records }: Piece,
  query: URLSearchParams,
  asking: Asking,
): Promise<string> {
  const body = joined(header, records);
  try {
    return await ask(
      `${ADDRESS}?${query.toString()}`,
      { method: "POST", body, headers: { "Content-Type": "text/csv", Accept: "application/x-ndjson" } },
      async (response) => whole(await response.text()),
      asking,
    );
  } catch (error) {
    if (error instanceof BrokenOff) throw await reasonOf(body, query, asking);
    throw error;
  }
}

/** An answer without its end is one that broke off. */
function whole(answer: string): string {
  if (!isWhole(answer)) throw new TypeError("the answer has no end");
  return answer;
}

/** A piece that cannot be read on breaks its answer off. Where nothing is sent before its end, the service says why. */
async function reasonOf(body: BodyInit, query: URLSearchParams, asking: Asking): Promise<PricingError> {
  const summary = new URLSearchParams([...query, ["summary", "true"]]);
  const request = { method: "POST", body, headers: { "Content-Type": "text/csv" } };
  try {
    await ask(`${ADDRESS}?${summary.toString()}`, request, (response) => response.text(), asking);
  } catch (error) {
    if (error instanceof PricingError) return error;
    if (!(error instanceof BrokenOff)) throw error;
  }
  return new PricingError(
    "The answer breaks off",
    "The connection to the service ends each time before its answer does. Try again later.",
  );
}

const SUMMARY = '{"summary":';

/** What the service answers to a piece of a file. */
export interface AnsweredPiece {
  readonly lines: readonly PricedLine[];
  readonly summary: PriceSummary;
}

/** Whether the NDJSON of an answer has its end: the totals are its last line. */
export function isWhole(text: string): boolean {
  return text.startsWith(SUMMARY, summaryStart(text)) && text.endsWith("}\n");
}

/**
 * Reads the NDJSON of a whole answer.
 * @param before how many lines the pieces before had: the service counts those of each piece from 1.
 */
export function readAnswer(text: string, before: number): AnsweredPiece {
  const start = summaryStart(text);
  const { summary } = JSON.parse(text.slice(start)) as { readonly summary: PriceSummary };
  const lines = text
    .slice(0, start)
    .split("\n")
    .slice(0, -1)
    .map((line) => numberedFrom(before, JSON.parse(line) as PricedLine));
  return { lines, summary };
}

function summaryStart(text: string): number {
  return text.lastIndexOf("\n", text.length - 2) + 1;
}

function numberedFrom(before: number, priced: PricedLine): PricedLine {
  return { ...priced, line: priced.line + before };
}

/** What the pieces of a file come to together. */
export class SummedUp {
  readonly #groups = new Map<string, PriceGroup>();
  #lines = 0;
  #faulty = 0;

  add({ lines, faulty, groups = [] }: PriceSummary): void {
    this.#lines += lines;
    this.#faulty += faulty;
    for (const group of groups) this.#addGroup(group);
  }

  get lines(): number {
    return this.#lines;
  }

  /** The totals, with the groups in the order in which they were met. */
  get summary(): PriceSummary {
    const groups = [...this.#groups.values()];
    const customers = this.#lines - this.#faulty;
    const priced = groups.reduce((sum, group) => sum + group.priced, 0);
    return {
      lines: this.#lines,
      priced,
      without_amount: customers - priced,
      faulty: this.#faulty,
      total_amount: groups.reduce((sum, group) => sum + group.total_amount, 0),
      groups,
    };
  }

  #addGroup(group: PriceGroup): void {
    const key = JSON.stringify([group.country_code, group.segment_name, group.segment]);
    const known = this.#groups.get(key);
    if (known === undefined) {
      this.#groups.set(key, { ...group });
      return;
    }
    known.customers += group.customers;
    known.priced += group.priced;
    known.total_amount += group.total_amount;
  }
}

/** Customers that something is the same of. */
export interface Gathered<Key> {
  readonly key: Key;
  readonly customers: number;
  readonly total_amount: number;
}

type Summed = Pick<Gathered<unknown>, "customers" | "total_amount">;

/** Sums up what has the same key, in the order in which the keys are met. */
export function gathered<Group extends Summed, Key>(
  groups: readonly Group[],
  keyOf: (group: Group) => Key,
): Gathered<Key>[] {
  const sums = new Map<Key, Gathered<Key>>();
  for (const group of groups) {
    const key = keyOf(group);
    const { customers, total_amount } = sums.get(key) ?? { customers: 0, total_amount: 0 };
    sums.set(key, {
      key,
      customers: customers + group.customers,
      total_amount: total_amount + group.total_amount,
    });
  }
  return [...sums.values()];
}
