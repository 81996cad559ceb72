import { createHash } from "node:crypto";
import * as z from "zod";
import { sideBySide } from "../base/concurrency.js";
import { PipelineError, type FaultCode } from "../base/errors.js";
import { isoOfKey } from "../voucher/execution-date.js";
import {
  PARTITION_FILE,
  partitionFolder,
  stagedFile,
  stagingFolder,
  type FoundPartition,
  type Partition,
  type Zone,
  type ZoneFile,
} from "./zone.js";

/*
 * A partition of many files has a manifest that lists them. The manifest is replaced in one step, so its readers see
 * the old files or the new files. The single file of another partition has the same guarantee.
 */

/** The name of the manifest of a partition. Programs that list data files ignore it. */
export const MANIFEST_FILE = "_manifest.json";

/** A path below the folder of the partition only. */
const PATH_BELOW = /^(?!\.{0,2}(\/|$))[^/\\]+(\/(?!\.{0,2}(\/|$))[^/\\]+)*$/;

const MANIFEST = z.object({
  version: z.literal(1),
  files: z
    .array(z.object({ path: z.string().regex(PATH_BELOW), bytes: z.int().nonnegative() }))
    .min(1)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length),
});

type Manifest = z.infer<typeof MANIFEST>;

/** The path of a partition's manifest below its zone. */
export function manifestFile(partition: Partition): string {
  return `${partitionFolder(partition)}/${MANIFEST_FILE}`;
}

/** Whether the URI of a partition is that of a manifest. */
export function isManifest(uri: string): boolean {
  return uri.endsWith(`/${MANIFEST_FILE}`);
}

/** Whether the staged files are committed as the one file of a partition, and not as many files with a manifest. */
export function isOneFile(
  runId: string,
  partition: Partition,
  staged: readonly Pick<ZoneFile, "path">[],
): boolean {
  return staged.length === 1 && staged[0]?.path === stagedFile(runId, partition);
}

/**
 * The path of one of many staged files, below the folder of its partition. Each run has its own folder, so no file
 * replaces one that somebody reads.
 */
export function placeOf(runId: string, partition: Partition, { path }: Pick<ZoneFile, "path">): string {
  return `${runId}/${path.slice(stagingFolder(runId, partition).length + 1)}`;
}

/** The text of the manifest that staged files are committed with: the same files of the same run have the same text. */
export function manifestText(
  runId: string,
  partition: Partition,
  staged: readonly Pick<ZoneFile, "path" | "bytes">[],
): string {
  const files = staged
    .map((file) => ({ path: placeOf(runId, partition, file), bytes: file.bytes }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return `${JSON.stringify({ version: 1, files } satisfies Manifest, null, 2)}\n`;
}

/** The SHA-256 of a manifest that is not written yet, in hexadecimal. */
export function sha256OfText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Finds the partitions of a zone.
 * @param everythingBelow lists all files below a folder, whatever their names.
 * @param readText reads a small file.
 */
export function partitionFinder(
  everythingBelow: (folder: string) => Promise<ZoneFile[]>,
  readText: (file: ZoneFile) => Promise<string>,
): Pick<Zone, "find" | "findAll"> {
  const look = async (partition: Partition) =>
    partitionAmong(partition, await everythingBelow(partitionFolder(partition)), readText);
  // Another process can replace a partition between the reads of its files and of its manifest. So a fault is checked
  // twice.
  const find = (partition: Partition) =>
    look(partition).catch((error: unknown) => {
      if (isFaultOfManifest(error)) return look(partition);
      throw error;
    });
  return {
    find,
    findAll: async (table, unreadable) => {
      const byKey = filesByKey(table, await everythingBelow(table));
      const found = await sideBySide([...byKey.keys()].sort(), async (partitionKey) => {
        const partition = { table, partitionKey };
        try {
          return await partitionAmong(partition, byKey.get(partitionKey) ?? [], readText).catch(
            (error: unknown) => {
              if (isFaultOfManifest(error)) return find(partition);
              throw error;
            },
          );
        } catch (error) {
          if (!isFaultOfManifest(error)) throw error;
          unreadable(error);
          return undefined;
        }
      });
      return found.filter((partition) => partition !== undefined);
    },
  };
}

function isFaultOfManifest(error: unknown): error is PipelineError {
  return error instanceof PipelineError && error.kind === "data";
}

function filesByKey(table: string, files: readonly ZoneFile[]): Map<string, ZoneFile[]> {
  const byKey = new Map<string, ZoneFile[]>();
  for (const file of files) {
    const partitionKey = /^\/execution_date=([^/]+)\//.exec(file.path.slice(table.length))?.[1];
    if (partitionKey === undefined) continue;
    const ofKey = byKey.get(partitionKey);
    if (ofKey === undefined) byKey.set(partitionKey, [file]);
    else ofKey.push(file);
  }
  return byKey;
}

/**
 * The partition that consists of all given files in its folder; undefined if there are none.
 * @throws PipelineError PARTITION_MISSING if its manifest is not readable or lists a missing file; PARTITION_DIFFERS
 * if a file has other bytes.
 */
async function partitionAmong(
  partition: Partition,
  files: readonly ZoneFile[],
  readText: (file: ZoneFile) => Promise<string>,
): Promise<FoundPartition | undefined> {
  const folder = partitionFolder(partition);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const manifest = byPath.get(manifestFile(partition));
  if (manifest === undefined) {
    const file = byPath.get(`${folder}/${PARTITION_FILE}`);
    return file && { partition, head: file, files: [file] };
  }
  const named = parseManifest(await readText(manifest));
  if (named === undefined)
    throw faultOf(partition, "PARTITION_MISSING", `${manifest.uri} is not a readable manifest`);
  const found = named.files.map(({ path, bytes }) => {
    const file = byPath.get(`${folder}/${path}`);
    if (file === undefined)
      throw faultOf(partition, "PARTITION_MISSING", `${manifest.uri} lists ${path}, which does not exist`);
    if (file.bytes === bytes) return file;
    const sizes = `${file.bytes.toString()} bytes instead of ${bytes.toString()} as in ${MANIFEST_FILE}`;
    throw faultOf(partition, "PARTITION_DIFFERS", `${file.uri} has ${sizes}`);
  });
  return { partition, head: manifest, files: found.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

function faultOf({ partitionKey }: Partition, code: FaultCode, what: string): PipelineError {
  const remedy = `rebuild the partition with npx pipeline run -e ${isoOfKey(partitionKey)}`;
  return new PipelineError(code, `${what}; ${remedy}`);
}

function parseManifest(text: string): Manifest | undefined {
  try {
    return MANIFEST.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
