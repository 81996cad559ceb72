import type { Request } from "express";
import type { Consumption } from "../../consumption/consumption.js";
import { readOpenWithdrawals } from "../../consumption/publication-withdrawals.js";
import { readRunHistory } from "../../consumption/recorded-runs.js";
import type { PipelineRunsTable, WithdrawalsTable } from "../../consumption/schema.js";
import { maybeExecutionDate } from "../../voucher/execution-date.js";
import type { Publication } from "../../voucher/publication-identity.js";
import { problemOf } from "../http/error-answers.js";
import type { Services } from "../http/services.js";

/** What every page says of the service: which answers it gives, and whether its database and newest run are well. */
export interface ServiceState {
  readonly now: Date;
  /** The publication that answers; undefined if there is none. */
  readonly publication: Publication | undefined;
  /** Whether its execution date is so long ago that there should be newer answers. */
  readonly isOld: boolean;
  /** When the database last confirmed it; undefined if it never has. */
  readonly confirmedAt: Date | undefined;
  /** Whether the database cannot be reached. */
  readonly isAway: boolean;
  /** The run that began last; undefined if there was none, or if the database cannot be asked. */
  readonly newestRun: PipelineRunsTable | undefined;
  /** The withdrawals of newer publications than the one that answers, and of those that the address asks for. */
  readonly withdrawn: readonly WithdrawalsTable[];
}

/** What a client without a key sees. */
export const UNKNOWN_STATE: ServiceState = {
  now: new Date(0),
  publication: undefined,
  isOld: false,
  confirmedAt: undefined,
  isAway: false,
  newestRun: undefined,
  withdrawn: [],
};

/** Reads the state of the service, as far as it matters to who asks for a page. */
export async function serviceStateOf(services: Services, { query }: Request): Promise<ServiceState> {
  // The first page that is asked for may come before the first look at the database.
  if (services.store.status.confirmedAt === undefined) await unlessAway(services.store.newest());
  const runs = await askUnlessAway(services, (database) => readRunHistory(database, { limit: 1 }));
  const withdrawals = await askUnlessAway(services, readOpenWithdrawals);
  const { publication, confirmedAt, isAway } = services.store.status;
  const now = services.now();
  const asked = [query["execution_date"], query["against"]].map(partitionKeyOf);
  const newest = publication?.executionDate.partitionKey ?? "";
  return {
    now,
    publication,
    isOld: publication !== undefined && hoursSince(publication, now) > services.oldAfterHours,
    confirmedAt,
    isAway,
    newestRun: runs?.[0],
    withdrawn: (withdrawals ?? []).filter(
      ({ execution_date: date }) => date > newest || asked.includes(date),
    ),
  };
}

function hoursSince({ executionDate }: Publication, now: Date): number {
  return (now.getTime() - new Date(executionDate.iso).getTime()) / 3_600_000;
}

function partitionKeyOf(date: unknown): string | undefined {
  return typeof date === "string" ? maybeExecutionDate(date)?.partitionKey : undefined;
}

/**
 * Asks the database for what a page can do without.
 * @returns undefined if the database cannot be reached, or is not there yet. The page says so.
 */
export async function askUnlessAway<Answer>(
  { store }: Services,
  question: (database: Consumption) => Promise<Answer>,
): Promise<Answer | undefined> {
  // Nobody waits for a database of which it is known that it is away.
  if (store.status.isAway) return undefined;
  return unlessAway(store.ask(question));
}

/** What was asked for; undefined if the database cannot be reached, or is not there yet. */
export async function unlessAway<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { type } = problemOf(error);
    if (type === "database-unavailable" || type === "no-publication") return undefined;
    throw error;
  }
}
