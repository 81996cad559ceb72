import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { PipelineError, messageOf } from "../base/errors.js";

/** A file of a zone. */
export interface ZoneFile {
  /** Its path below the zone, with `/`: `vouchers/2020/a.parquet`. */
  readonly path: string;
  /** How the engine opens it: an absolute path, or a URL. */
  readonly uri: string;
  readonly bytes: number;
  /** Changes when the file does: the time of its last change, or its ETag. */
  readonly version: string;
  /**
   * Tells these bytes from any others in the same place, also from those of the same size and time. It does not
   * identify a copy.
   */
  readonly identity: string;
  /** Why the file is unreadable, if its name shows that: a link that leads nowhere, a pipe. */
  readonly problem?: string;
}

/** One partition of a table: a folder with one file, or with many and a manifest that names them. */
export interface Partition {
  readonly table: string;
  readonly partitionKey: string;
}

/** A partition at one moment. */
export interface FoundPartition {
  readonly partition: Partition;
  /** The one file, or the manifest that lists the files. Its bytes identify the partition. */
  readonly head: ZoneFile;
  /** The files with its rows, by path. */
  readonly files: readonly ZoneFile[];
}

/**
 * Restores a partition to its state before a commit. If there was none, it is removed. If the staging of the run was
 * swept, nothing happens: another run of the date has begun, and the partition belongs to that run.
 */
export type Undo = () => Promise<void>;

/** A commit that is not final yet. It ends with one of the two functions, or with none if the process dies. */
export interface Commit {
  readonly undo: Undo;
  /**
   * Removes all other files from the partition's folder. No reader reads them any more, and an undo is no longer
   * possible. If the staging of the run was swept, nothing happens.
   */
  readonly finish: () => Promise<void>;
}

/** What a sweep does beside removing files. */
export interface Sweeping {
  /** Receives a message if the server cannot remove unfinished uploads, so that their parts may be left. */
  readonly warn?: (message: string) => void;
  /**
   * Checks the lock after the files are found, and before any is removed. So the files of a run that took the lock
   * meanwhile are not among those that are found. If it rejects, nothing is removed.
   */
  readonly assertLocked?: () => Promise<void>;
}

/** The storage of one zone. */
export interface Zone {
  /** The common start of each file's `uri`, before `/` and the file's path. */
  readonly root: string;
  /** Whether the version of a file comes from its content, as an ETag does. */
  readonly versionsTellContent: boolean;
  /**
   * The files below a folder, at any depth, sorted by path. Names that begin with `.` or `_` do not count. A folder
   * that nobody can enter, or an empty folder with the name of a file, is included: its path ends in `/`.
   */
  list(folder: string): Promise<ZoneFile[]>;
  /** A file's bytes. */
  read(file: Pick<ZoneFile, "path" | "uri"> & Partial<ZoneFile>): Readable;
  /**
   * A partition, or undefined if there is none.
   * @throws PipelineError PARTITION_MISSING or PARTITION_DIFFERS if its manifest does not hold.
   */
  find(partition: Partition): Promise<FoundPartition | undefined>;
  /**
   * The partitions of a table, by key.
   * @param unreadable receives the fault of an invalid manifest. Its partition is left out.
   */
  findAll(table: string, unreadable: (fault: PipelineError) => void): Promise<FoundPartition[]>;
  /**
   * Checks that a commit can replace partitions, as far as that is known before.
   * @param partitionKey one partition; all existing partitions by default.
   * @throws PipelineError ZONE_NOT_USABLE if a folder is a link, contains a mount, or is on another file system than
   * `_staging`.
   */
  assertReplaceable(table: string, partitionKey?: string): Promise<void>;
  /** Prepares new files of a partition where readers do not see them: a folder, and in it the place of the one file. */
  stage(runId: string, partition: Partition): Promise<Pick<ZoneFile, "path" | "uri">>;
  /** The files that a run has staged for a partition, sorted by path; names that begin with `.` or `_` do not count. */
  staged(runId: string, partition: Partition): Promise<ZoneFile[]>;
  /**
   * Replaces a partition with its staged files: the one file `data.parquet`, or many files with a manifest that lists
   * them. A reader sees all of the old files or all of the new files.
   */
  commit(runId: string, partition: Partition): Promise<Commit>;
  /**
   * Moves uncommitted staged files to a place that no run cleans.
   * @returns the URIs of the files.
   */
  keepStaged(runId: string): Promise<string[]>;
  /**
   * Removes the files that runs left staged or kept.
   * @param runs the start of the run ids. The caller must hold the lock of their execution date.
   */
  sweep(folder: typeof STAGING | typeof KEPT, runs: string, sweeping?: Sweeping): Promise<void>;
  /**
   * Finds out why a file differs from the listed one, or is unreadable. Zones without a server do not need this.
   * @throws PipelineError ZONE_NOT_USABLE or STORAGE_FAILED if the file is the same and the server reports different
   * properties of it.
   */
  readonly assertConsistent?: (file: Pick<ZoneFile, "path">) => Promise<void>;
  /**
   * Tests with a staged file the operations of a commit beyond reading and writing. Zones without such operations do
   * not have this.
   * @returns the operations that the server does not support, and their effects.
   * @throws PipelineError if a commit would fail.
   */
  readonly tryCommit?: (staged: Pick<ZoneFile, "path">) => Promise<string[]>;
}

/** The name of the file of a partition that has one file. */
export const PARTITION_FILE = "data.parquet";

/** The folder in a zone for data that nobody may read yet. Each run has its own folder in it. */
export const STAGING = "_staging";

/** The folder for the staged files of failed runs, kept for inspection, by run. */
export const KEPT = "_kept";

/** The folder for staged files, below each zone. */
export function stagingOfRun(runId: string): string {
  return `${STAGING}/${runId}`;
}

/** The folder of a staged partition, below its zone. */
export function stagingFolder(runId: string, partition: Partition): string {
  return `${stagingOfRun(runId)}/${partitionFolder(partition)}`;
}

/** The one staged file of a partition, below its zone. */
export function stagedFile(runId: string, partition: Partition): string {
  return `${stagingFolder(runId, partition)}/${PARTITION_FILE}`;
}

/** The folder of a partition below its zone: `vouchers/execution_date=2020-05-29T000000`. */
export function partitionFolder({ table, partitionKey }: Partition): string {
  return `${table}/execution_date=${partitionKey}`;
}

/** How many files a partition has, and how many bytes they have together. */
export function sizeOf({ files }: Pick<FoundPartition, "files">): { files: number; bytes: number } {
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** The one file of a partition below its zone. */
export function partitionFile(partition: Partition): string {
  return `${partitionFolder(partition)}/${PARTITION_FILE}`;
}

/** The SHA-256 of a file's bytes, in hexadecimal. */
export async function sha256Of(zone: Zone, file: Pick<ZoneFile, "path" | "uri">): Promise<string> {
  const hash = createHash("sha256");
  try {
    // For a small file, a separate stream for each hash takes as long as the hash.
    for await (const chunk of zone.read(file)) hash.update(chunk as Buffer);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError("STORAGE_FAILED", `cannot read ${file.uri} again: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return hash.digest("hex");
}
