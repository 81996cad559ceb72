import { PipelineError } from "../base/errors.js";
import { printable } from "../base/words.js";
import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading } from "../consumption/open-consumption.js";
import { readOpenWithdrawals } from "../consumption/publication-withdrawals.js";
import { readPublications } from "../consumption/read-publications.js";
import type { WithdrawalsTable } from "../consumption/schema.js";
import { DATE_VARIABLE, setPublications, setVariable, type PublicationState } from "../models/shell-views.js";
import type { Settings } from "../settings/settings.js";
import { literal } from "../sql-text/literal.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { ViewFiles } from "./view-files.js";

/** The execution date of the views of a shell, and the notices about it. */
export interface ShellDates {
  /** The statements that give the views their dates. */
  readonly sql: string;
  /** The date of the views and the reason for it, in a sentence. */
  readonly shown: string;
  /** The reasons why the date may be unexpected. */
  readonly warnings: readonly string[];
}

/** No history is longer. */
const ALL_DATES = 1_000_000;
/** The maximum number of withdrawn dates in a notice. */
const TOLD_WITHDRAWALS = 3;

/**
 * Finds the date for the views: the given one, or else the one that readers see. If nothing is published, it is the
 * newest one with a partition that is not withdrawn.
 * @throws PipelineError if no date is given and the database is not readable.
 */
export async function findShellDates(
  { consumptionUrl }: Pick<Settings, "consumptionUrl">,
  found: readonly ViewFiles[],
  given: ExecutionDate | undefined,
): Promise<ShellDates> {
  const warnings: string[] = [];
  let known: Known | undefined;
  try {
    known = await readKnown(consumptionUrl);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    if (given === undefined) {
      const advice =
        "to query the zones without the database, choose a date: npx pipeline shell -e 2020-05-29";
      throw new PipelineError(error.code, `${error.message}; ${advice}`, { cause: error });
    }
    warnings.push(`the published dates are unknown: ${error.message}`);
  }
  const key = given?.partitionKey ?? known?.published[0] ?? newestPartition(found, known?.withdrawn ?? []);
  warnings.push(...withdrawalsInTheWay(known?.withdrawn ?? [], key, given));
  if (given === undefined && known?.published.length === 0 && key !== undefined) {
    warnings.push(`no publication yet: the views show the newest partitions, of ${key}`);
  }
  const missing = found.filter(({ partitions }) => {
    const keys = partitions?.keys ?? [];
    return keys.length > 0 && key !== undefined && !keys.includes(key);
  });
  if (missing.length > 0) {
    const views = missing.map(({ view }) => view).join(", ");
    warnings.push(`${views} have no partition of ${key ?? ""}, so they are empty`);
  }
  return {
    sql: [
      ...(known === undefined ? [] : [setPublications(known.states)]),
      ...(key === undefined ? [] : [setVariable(DATE_VARIABLE, literal(key))]),
    ].join("\n"),
    shown: shownInWords(key, given, known),
    warnings,
  };
}

/** The execution dates of the database. */
interface Known {
  /** The partition keys of the visible publications, the newest first. */
  readonly published: readonly string[];
  readonly withdrawn: readonly WithdrawalsTable[];
  readonly states: readonly PublicationState[];
}

async function readKnown(consumptionUrl: string): Promise<Known> {
  const consumption = await openConsumptionForReading(consumptionUrl);
  if (consumption === undefined) return { published: [], withdrawn: [], states: [] };
  try {
    return await readKnownFrom(consumption);
  } finally {
    await consumption.close();
  }
}

async function readKnownFrom(consumption: Consumption): Promise<Known> {
  const publications = await readPublications(consumption, { limit: ALL_DATES });
  const published = publications.map(({ executionDate }) => executionDate.partitionKey);
  const withdrawn = (await readOpenWithdrawals(consumption)).toSorted((a, b) =>
    a.execution_date < b.execution_date ? 1 : -1,
  );
  return {
    published,
    withdrawn,
    states: [
      ...publications.map(({ executionDate, publishedAt }) => ({
        execution_date: executionDate.partitionKey,
        state: "published",
        published_at: publishedAt,
        withdrawn_at: null,
        withdrawn_by: null,
        why: null,
      })),
      ...withdrawn.map(({ execution_date, published_at, withdrawn_at, withdrawn_by, why }) => ({
        ...{ execution_date, state: "withdrawn", published_at, withdrawn_at, withdrawn_by, why },
      })),
    ],
  };
}

function newestPartition(
  found: readonly ViewFiles[],
  withdrawn: readonly WithdrawalsTable[],
): string | undefined {
  const isWithdrawn = new Set(withdrawn.map(({ execution_date }) => execution_date));
  const keys = found
    .flatMap(({ partitions }) => partitions?.keys ?? [])
    .filter((key) => !isWithdrawn.has(key));
  return keys.sort().at(-1);
}

/** The withdrawn dates that the user could expect in the views. */
function withdrawalsInTheWay(
  withdrawn: readonly WithdrawalsTable[],
  key: string | undefined,
  given: ExecutionDate | undefined,
): string[] {
  const inTheWay = withdrawn.filter(({ execution_date: date }) =>
    given === undefined ? key === undefined || date > key : date === key,
  );
  const told = inTheWay
    .slice(0, TOLD_WITHDRAWALS)
    .map(({ execution_date, withdrawn_by, withdrawn_at, why }) => {
      const reason = printable(
        `${execution_date} is withdrawn, by ${withdrawn_by} at ${withdrawn_at}: ${why}`,
      );
      return given === undefined ? `${reason}; the views do not show it` : reason;
    });
  const rest = inTheWay.length - told.length;
  return rest > 0
    ? [...told, `${rest.toString()} more newer dates are withdrawn; list them with FROM execution_dates`]
    : told;
}

function shownInWords(
  key: string | undefined,
  given: ExecutionDate | undefined,
  known: Known | undefined,
): string {
  const other = "List the others with FROM execution_dates";
  if (key === undefined) return "there is no partition for the views";
  const why =
    given !== undefined ? "as chosen" : known?.published[0] === key ? "the published one" : "the newest";
  return `The views show ${key}, ${why}. ${other}; SET VARIABLE ${DATE_VARIABLE} = '…' chooses one.`;
}
