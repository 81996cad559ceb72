import path from "node:path";
import { PipelineError } from "../base/errors.js";
import { printable } from "../base/printable.js";
import type { Answers } from "../voucher/answers.js";
import type { Publication } from "../voucher/publication.js";
import { readSegments, SEGMENTS_FILE } from "../voucher/read-segments.js";
import { parseSegments, type Segments } from "../voucher/segments.js";
import { readAnswers } from "./answers.js";
import type { Consumption } from "./consumption.js";
import { readSqlVersion } from "./sql-versions.js";

/** Where segments are that the database does not have. */
export interface KnownSegments {
  /** Has those of publications that are older than the record of their SQL. */
  readonly sqlDirectory: string;
  /** Is told where they are taken from there. */
  readonly warn: (message: string) => void;
}

/**
 * Reads all answers of a publication, with the segments that its vouchers were put into, whatever the newest SQL says.
 * @throws PublicationReplaced where its execution date is published anew meanwhile.
 */
export async function readAnswersOf(
  consumption: Consumption,
  publication: Publication,
  known: KnownSegments,
): Promise<Answers> {
  return readAnswers(consumption, publication, await readSegmentsOf(consumption, publication, known));
}

async function readSegmentsOf(
  consumption: Consumption,
  { sqlHash, sqlVersion }: Publication,
  { sqlDirectory, warn }: KnownSegments,
): Promise<Segments> {
  const file = path.posix.join(sqlVersion, SEGMENTS_FILE);
  const text = (await readSqlVersion(consumption, sqlHash))?.get(file);
  if (text !== undefined) return parseSegments(text, `${file} of the SQL ${sqlHash}`);
  if (!/^v[1-9][0-9]*$/.test(sqlVersion)) {
    const message = `a publication is of the SQL version ${printable(sqlVersion)}, which is none; restore the database`;
    throw new PipelineError("CONSUMPTION_NOT_USABLE", message);
  }
  warn(`the SQL ${sqlHash} of a publication was not kept: its segments are those of ${file}`);
  return readSegments(path.join(sqlDirectory, sqlVersion));
}
