import { PipelineError } from "../base/errors.js";
import type { Consumption } from "../consumption/consumption.js";
import { readAnswersOf } from "../consumption/read-answers.js";
import {
  readNewestPublication,
  readPublication,
  readPublications,
} from "../consumption/read-publications.js";
import { diffOf } from "../record/answers.js";
import type { AnswersDiff } from "../record/run-record.js";
import { nothingPublished } from "../run/withdraw.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";
import { looking } from "./looking.js";

/** The publications to compare. */
export interface DiffRequest {
  /** The previous publication by default. */
  readonly before: ExecutionDate | undefined;
  /** The newest publication by default. */
  readonly after: ExecutionDate | undefined;
}

/**
 * Compares the answers of two publications.
 * @throws PipelineError PUBLICATION_MISSING if one does not exist.
 */
export function diffPublications(
  settings: Settings,
  { before, after }: DiffRequest,
  warn: (message: string) => void,
): Promise<AnswersDiff> {
  return looking(settings, undefined, async (opened) => {
    const consumption = await opened.database();
    if (consumption === undefined) throw nothingPublished();
    const answersOf = (publication: Publication) =>
      readAnswersOf(consumption, publication, { sqlDirectory: settings.sqlDirectory, warn });
    const later = await publicationOf(consumption, after);
    const earlier = await (before === undefined
      ? publicationBefore(consumption, later)
      : publicationOf(consumption, before));
    return diffOf(earlier && (await answersOf(earlier)), await answersOf(later));
  });
}

async function publicationOf(
  consumption: Consumption,
  date: ExecutionDate | undefined,
): Promise<Publication> {
  const found = await (date === undefined
    ? readNewestPublication(consumption)
    : readPublication(consumption, date.partitionKey));
  if (found !== undefined) return found;
  throw date === undefined
    ? nothingPublished()
    : new PipelineError(
        "PUBLICATION_MISSING",
        `${date.iso} is not published; see npx pipeline runs -e ${date.iso}`,
      );
}

async function publicationBefore(
  consumption: Consumption,
  { executionDate }: Publication,
): Promise<Publication | undefined> {
  const [earlier] = await readPublications(consumption, { before: executionDate.partitionKey, limit: 1 });
  return earlier;
}
