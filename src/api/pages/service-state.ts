import type { Request } from "express";
import type { Consumption } from "../../consumption/consumption.js";
import { readOpenWithdrawals } from "../../consumption/publication-withdrawals.js";
import { readRunHistory } from "../../consumption/recorded-runs.js";
import type { PipelineRunsTable, WithdrawalsTable } from "../../consumption/schema.js";
import { maybeExecutionDate } from "../../voucher/execution-date.js";
import type { Publication } from "../../voucher/publication-identity.js";
import { problemOf } from "../http/error-answers.js";
import type { Services } from "../http/services.js";

/** The state of the service on every page: the served answers, the database and the newest run. */
export interface ServiceState {
  readonly now: Date;
  /** The served publication; undefined if there is none. */
  readonly publication: Publication | undefined;
  /** Whether its execution date is so old that there should be newer answers. */
  readonly isOld: boolean;
  /** When the database last confirmed it; undefined if it never has. */
  readonly confirmedAt: Date | undefined;
  /** Whether the database is not reachable. */
  readonly isAway: boolean;
  /** The run that began last; undefined if there was none, or if the database is away. */
  readonly newestRun: PipelineRunsTable | undefined;
  /** The withdrawals of publications that are newer than the served one, and of those in the address. */
  readonly withdrawn: readonly WithdrawalsTable[];
}

/** The state for a client without a key. */
export const UNKNOWN_STATE: ServiceState = {
  now: new Date(0),
  publication: undefined,
  isOld: false,
  confirmedAt: undefined,
  isAway: false,
  newestRun: undefined,
  withdrawn: [],
};

/** Reads the state of the service for a page. */
export async function serviceStateOf(services: Services, { query }: Request): Promise<ServiceState> {
  // The request for the first page may come before the first query of the database.
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
 * Queries the database for optional data of a page.
 * @returns undefined if the database is not reachable, or does not exist yet. The page shows that.
 */
export async function askUnlessAway<Answer>(
  { store }: Services,
  question: (database: Consumption) => Promise<Answer>,
): Promise<Answer | undefined> {
  // Nobody waits for a database that is known to be away.
  if (store.status.isAway) return undefined;
  return unlessAway(store.ask(question));
}

/** The result; undefined if the database is not reachable, or does not exist yet. */
export async function unlessAway<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { type } = problemOf(error);
    if (type === "database-unavailable" || type === "no-publication") return undefined;
    throw error;
  }
}
