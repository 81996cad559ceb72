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
   * Tells these bytes from any others in the same place, also from those of the same size and time. It says nothing of a copy.
   */
  readonly identity: string;
  /** Why it cannot be read, if that is known from its name: a link that leads nowhere, a pipe. */
  readonly problem?: string;
}

/** One partition of a table: a folder with one file, or with many and a manifest that names them. */
export interface Partition {
  readonly table: string;
  readonly partitionKey: string;
}

/** What a partition is at one moment. */
export interface FoundPartition {
  readonly partition: Partition;
  /** By its bytes the partition is known: the one file, or the manifest that names the files. */
  readonly head: ZoneFile;
  /** The files that its rows are in, by path. */
  readonly files: readonly ZoneFile[];
}

/**
 * Puts a partition back as it was before a commit; if there was none, it goes. If the staging of the run has been swept,
 * nothing happens: another run of the date has begun, and what is there now is that one's.
 */
export type Undo = () => Promise<void>;

/** What was put in a partition's place, and how it ends: with one of the two, or, where the process dies, with none. */
export interface Commit {
  readonly undo: Undo;
  /**
   * Removes what lies in the partition's folder and is none of its files by now. No reader reads that any more, and it can come back
   * no more. If the staging of the run has been swept, nothing happens.
   */
  readonly finish: () => Promise<void>;
}

/** Where the files of one zone live. */
export interface Zone {
  /** What the `uri` of each file begins with, before `/` and the file's path. */
  readonly root: string;
  /** Whether the version of a file is made of its content, as an ETag is. */
  readonly versionsTellContent: boolean;
  /**
   * The files below a folder, at any depth, sorted by path; names that begin with `.` or `_` do not count. A folder that
   * cannot be entered, or is empty and has the name of a file, is among them: its path ends in `/`.
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
   * @param unreadable is told what is wrong with a manifest, whose partition is left out.
   */
  findAll(table: string, unreadable: (fault: PipelineError) => void): Promise<FoundPartition[]>;
  /**
   * Checks that a commit can replace partitions, as far as that is known before.
   * @param partitionKey all partitions that are there, if it is not given.
   * @throws PipelineError ZONE_NOT_USABLE if a folder is a link, has a mount in it, or is on another file system than `_staging`.
   */
  assertReplaceable(table: string, partitionKey?: string): Promise<void>;
  /** Makes room for new files of a partition outside of what readers see: a folder, and in it the place of the one file. */
  stage(runId: string, partition: Partition): Promise<Pick<ZoneFile, "path" | "uri">>;
  /** The files that a run has staged for a partition, sorted by path; names that begin with `.` or `_` do not count. */
  staged(runId: string, partition: Partition): Promise<ZoneFile[]>;
  /**
   * Puts what is staged in its partition's place: the one file `data.parquet`, or many files with a manifest that names them. A
   * reader sees all that was there or all that is new, never half.
   */
  commit(runId: string, partition: Partition): Promise<Commit>;
  /**
   * Moves staged files that were not committed to a place that no run cleans.
   * @returns the URIs of the files.
   */
  keepStaged(runId: string): Promise<string[]>;
  /**
   * Removes what runs have left that are staged or kept.
   * @param runs what the ids of the runs begin with. Only the holder of their execution date's lock may ask for it.
   * @param warn is told what the server cannot do, so that something may be left.
   */
  sweep(folder: typeof STAGING | typeof KEPT, runs: string, warn?: (message: string) => void): Promise<void>;
  /**
   * Looks why a file is not the one that was listed, or cannot be read. Zones without a server do without.
   * @throws PipelineError ZONE_NOT_USABLE or STORAGE_FAILED if the file is the same and the server says different things of it.
   */
  readonly assertConsistent?: (file: Pick<ZoneFile, "path">) => Promise<void>;
  /**
   * Tries on a staged file what a commit needs besides reading and writing. Zones that need nothing do without.
   * @returns what the server cannot do, and what that means.
   * @throws PipelineError if a commit would fail.
   */
  readonly tryCommit?: (staged: Pick<ZoneFile, "path">) => Promise<string[]>;
}

/** The name of the one file of a partition that is not many. */
export const PARTITION_FILE = "data.parquet";

/** What lies in a zone and is nobody's to read yet. Each run has a folder of its own in it. */
export const STAGING = "_staging";

/** What runs that have failed have staged, kept for inspection, by run. */
export const KEPT = "_kept";

/** The folder for staged files, below each zone. */
export function stagingOfRun(runId: string): string {
  return `${STAGING}/${runId}`;
}

/** The folder of a staged partition, below its zone. */
export function stagingFolder(runId: string, partition: Partition): string {
  return `${stagingOfRun(runId)}/${partitionFolder(partition)}`;
}

/** The one file that a run stages for a partition, below its zone. */
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
    // A stream of its own for each hash takes as long as the hash, where a file is small.
    for await (const chunk of zone.read(file)) hash.update(chunk as Buffer);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError("STORAGE_FAILED", `cannot read ${file.uri} again: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return hash.digest("hex");
}
