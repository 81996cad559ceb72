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

/** Whether two publications of an execution date are the same one: an execution date can be published anew. */
export function isSamePublication(one: Publication, other: Publication): boolean {
  return (
    one.executionDate.partitionKey === other.executionDate.partitionKey &&
    one.runId === other.runId &&
    one.publishedAt === other.publishedAt &&
    one.dataHash === other.dataHash &&
    one.sqlHash === other.sqlHash
  );
}
