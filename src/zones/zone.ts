import type { Readable } from "node:stream";

/** A file of a zone. */
export interface ZoneFile {
  /** Its path below the zone, with `/`: `vouchers/2020/a.parquet`. */
  readonly path: string;
  /** How the engine opens it: an absolute path, or a URL. */
  readonly uri: string;
  readonly bytes: number;
  /** Changes when the file does: the time of its last change, or its ETag. */
  readonly version: string;
  /** Why it cannot be read, where that is known from its name: a link that leads nowhere, a pipe. */
  readonly problem?: string;
}

/** One partition of a table: a folder with one file. */
export interface Partition {
  readonly table: string;
  readonly partitionKey: string;
}

/**
 * Puts a partition back as it was before a commit; where there was none, it goes. Where the staging of the run has been swept,
 * nothing happens: another run of the date has begun, and what is there now is that one's.
 */
export type Undo = () => Promise<void>;

/** Where the files of one zone live. */
export interface Zone {
  /** What the `uri` of each file begins with, before `/` and the file's path. */
  readonly root: string;
  /** Whether the version of a file is made of its content, as an ETag is. */
  readonly versionsTellContent: boolean;
  /** The files below a folder, at any depth, sorted by path; names that begin with `.` or `_` do not count. */
  list(folder: string): Promise<ZoneFile[]>;
  /** A file's bytes. */
  read(file: Pick<ZoneFile, "path" | "uri"> & Partial<ZoneFile>): Readable;
  /** The file of a partition, or undefined where there is none. */
  find(partition: Partition): Promise<ZoneFile | undefined>;
  /** Makes room for a new file of a partition outside of what readers see. */
  stage(runId: string, partition: Partition): Promise<Pick<ZoneFile, "path" | "uri">>;
  /**
   * Puts a staged file in its partition's place; whatever else lies in the partition's folder goes. A reader sees the old
   * file or the new one, never half. What was there is kept in staging until it is swept.
   */
  commit(runId: string, partition: Partition): Promise<Undo>;
  /**
   * Moves what a run has staged, and not committed, to where no run sweeps it.
   * @returns the URIs of the files.
   */
  keepStaged(runId: string): Promise<string[]>;
  /**
   * Removes what runs have left that are staged or kept.
   * @param runs what the ids of the runs begin with. Only the holder of their execution date's lock may ask for it.
   */
  sweep(folder: typeof STAGING | typeof KEPT, runs: string): Promise<void>;
}

/** The name of the one file of a partition. */
export const PARTITION_FILE = "data.parquet";

/** What lies in a zone and is nobody's to read yet. Each run has a folder of its own in it. */
export const STAGING = "_staging";

/** What runs that have failed have staged, kept for inspection, by run. */
export const KEPT = "_kept";

/** Where a run stages what it writes, below each zone. */
export function stagingOfRun(runId: string): string {
  return `${STAGING}/${runId}`;
}

/** Where a run stages a partition, below its zone. */
export function stagingFolder(runId: string, partition: Partition): string {
  return `${stagingOfRun(runId)}/${partitionFolder(partition)}`;
}

/** The file that a run stages for a partition, below its zone. */
export function stagedFile(runId: string, partition: Partition): string {
  return `${stagingFolder(runId, partition)}/${PARTITION_FILE}`;
}

/** The folder of a partition below its zone: `vouchers/execution_date=2020-05-29T000000`. */
export function partitionFolder({ table, partitionKey }: Partition): string {
  return `${table}/execution_date=${partitionKey}`;
}

/** The one file of a partition below its zone. */
export function partitionFile(partition: Partition): string {
  return `${partitionFolder(partition)}/${PARTITION_FILE}`;
}
