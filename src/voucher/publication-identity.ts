import type { ExecutionDate } from "./execution-date.js";

/** What was published for an execution date, by which run and by which SQL. */
export interface Publication {
  readonly executionDate: ExecutionDate;
  readonly runId: string;
  readonly sqlVersion: string;
  readonly sqlHash: string;
  /** SHA-256 over the provision files that were published. */
  readonly dataHash: string;
  /** In UTC, as ISO 8601. */
  readonly publishedAt: string;
  /** The rows of each published table. */
  readonly rowCounts: Readonly<Record<string, number>>;
}

/** What tells a publication from every other one: an execution date can be published again. */
export function identityOf({ executionDate, runId, publishedAt, dataHash, sqlHash }: Publication): string {
  return [executionDate.partitionKey, runId, publishedAt, dataHash, sqlHash].join(" ");
}

/** Whether two publications are the same one. */
export function isSamePublication(one: Publication, other: Publication): boolean {
  return identityOf(one) === identityOf(other);
}
