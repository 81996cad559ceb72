import type { ExecutionDate } from "./execution-date.js";

/** The publication of an execution date, with its run and its SQL. */
export interface Publication {
  readonly executionDate: ExecutionDate;
  readonly runId: string;
  readonly sqlVersion: string;
  readonly sqlHash: string;
  /** SHA-256 over the published provision files. */
  readonly dataHash: string;
  /** In UTC, as ISO 8601. */
  readonly publishedAt: string;
  /** The rows of each published table. */
  readonly rowCounts: Readonly<Record<string, number>>;
}

/** The identity of a publication: an execution date can be published again. */
export function identityOf({ executionDate, runId, publishedAt, dataHash, sqlHash }: Publication): string {
  return [executionDate.partitionKey, runId, publishedAt, dataHash, sqlHash].join(" ");
}

/** Whether two publications are the same. */
export function isSamePublication(one: Publication, other: Publication): boolean {
  return identityOf(one) === identityOf(other);
}
