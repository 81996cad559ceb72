import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { allEnded, sideBySide } from "../base/concurrency.js";
import { isManifest, partitionFinder } from "./manifest.js";
import { replacePartition, sweptStaging, type PartitionPlace } from "./replace-partition.js";
import type { S3Connection } from "./s3-client.js";
import { S3Objects, type CopyLimits, type S3Object } from "./s3-objects.js";
import {
  KEPT,
  partitionFolder,
  stagedFile,
  STAGING,
  stagingFolder,
  type Partition,
  type Zone,
  type ZoneFile,
} from "./zone.js";

/** A copy of the replaced object, next to the staged objects. Its name does not count as staged. */
const REPLACED_FILE = "_replaced.parquet";

const END_UPLOADS_BY_RULE =
  "their parts use space until a bucket rule removes them (AbortIncompleteMultipartUpload)";

const COPIES_ANYTHING =
  "the server ignores CopySourceIfMatch and may copy a replaced object. Do not let other programs write to _staging/";

/**
 * A zone that is a prefix of a bucket.
 * @param root `s3://bucket/prefix`, or `s3://bucket`.
 * @param place how messages name the zone.
 */
export function openS3Zone(
  { client }: S3Connection,
  root: string,
  place: string,
  copyLimits?: CopyLimits,
): Zone {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(root) ?? [];
  const objects = new S3Objects(client, bucket, place, copyLimits);
  const keyOf = (file: string) => (prefix === "" ? file : `${prefix}/${file}`);
  const pathOf = (key: string) => (prefix === "" ? key : key.slice(prefix.length + 1));
  const uriOf = (file: string) => `${root}/${file}`;
  const zoneFile = ({ key, bytes, etag, modified = "" }: S3Object): ZoneFile => {
    const file = pathOf(key);
    return { path: file, uri: uriOf(file), bytes, version: etag, identity: `${etag} ${modified}` };
  };
  const everythingBelow = async (folder: string) => (await objects.list(keyOf(`${folder}/`))).map(zoneFile);
  const list = async (folder: string) =>
    (await everythingBelow(folder))
      .filter((file) => !isHidden(file.path.slice(folder.length + 1)) && !isFolderMark(file))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  const read: Zone["read"] = ({ path: file, version, bytes }) =>
    Readable.from(objects.read({ key: keyOf(file), etag: version, bytes }), { objectMode: false });
  const readText = (file: ZoneFile) => text(read(file));
  const staged = (runId: string, partition: Partition) => list(stagingFolder(runId, partition));

  return {
    root,
    versionsTellContent: true,
    list,
    read,
    ...partitionFinder(everythingBelow, readText),
    assertReplaceable: () => Promise.resolve(),
    stage: (runId, partition) => {
      const file = stagedFile(runId, partition);
      return Promise.resolve({ path: file, uri: uriOf(file) });
    },
    staged,
    commit: (runId, partition) =>
      replacePartition(() => openPlace({ objects, keyOf, pathOf }, runId, partition), runId, partition),
    keepStaged: async (runId) => {
      const staged = await objects.list(keyOf(`${STAGING}/${runId}/`));
      const kept = await sideBySide(staged, async (object) => {
        const file = `${KEPT}${pathOf(object.key).slice(STAGING.length)}`;
        await objects.copy(object, keyOf(file));
        return uriOf(file);
      });
      return kept.sort();
    },
    sweep: async (folder, runs, { warn, assertLocked } = {}) => {
      const left = keyOf(`${folder}/${runs}`);
      const removing = async () => {
        const staged = await objects.keys(left);
        if (staged.length > 0) await assertLocked?.();
        await sideBySide(staged, (key) => objects.remove(key));
      };
      const [unable] = await allEnded([objects.endUploads(left, assertLocked), removing()]);
      if (unable !== undefined) warn?.(`${unable}; ${END_UPLOADS_BY_RULE}`);
    },
    assertConsistent: ({ path }) => objects.assertConsistent(keyOf(path)),
    tryCommit: async ({ path }) => {
      const key = keyOf(path);
      const copy = `${key}.copy`;
      await objects.assertConsistent(key);
      const staged = await objects.find(key);
      if (staged === undefined) throw sweptStaging(key);
      await objects.copy(staged, copy);
      return (await objects.refusesToCopy(staged, copy)) ? [] : [COPIES_ANYTHING];
    },
  };
}

/** The objects of a zone, and the mapping between their keys and the paths of files. */
interface ZoneObjects {
  readonly objects: S3Objects;
  readonly keyOf: (file: string) => string;
  readonly pathOf: (key: string) => string;
}

/**
 * A partition below a prefix. Objects are copied into it. A copy of the file that they replace goes next to the
 * staged objects. The partition is listed once.
 */
async function openPlace({ objects, keyOf, pathOf }: ZoneObjects, runId: string, partition: Partition) {
  const staging = keyOf(stagingFolder(runId, partition));
  const [inStaging, inFolder] = await Promise.all([
    objects.list(`${staging}/`),
    objects.list(`${keyOf(partitionFolder(partition))}/`),
  ]);
  const withPath = (object: S3Object) => ({ ...object, path: pathOf(object.key) });
  const staged = inStaging
    .filter(({ key }) => !isHidden(key.slice(staging.length + 1)))
    .map(withPath)
    .filter((object) => !isFolderMark(object));
  const present = new Map(inFolder.map((object) => [pathOf(object.key), object]));
  const write = (file: string, content: string) =>
    objects.put({ key: keyOf(file), content, contentType: "application/json" });
  return {
    staging,
    staged,
    isSwept: async () => !(await objects.has(staged[0]?.key ?? staging)),
    keep: async (file) => {
      const old = present.get(file);
      if (old === undefined) return undefined;
      // A manifest is small. Reading it costs one request; a copy costs two, with that of the sweep.
      if (isManifest(file)) {
        const content = await text(objects.read(old));
        return () => write(file, content);
      }
      const copy = `${staging}/${REPLACED_FILE}`;
      await objects.copy(old, copy);
      return async () => {
        const kept = await objects.find(copy);
        if (kept !== undefined) await objects.copy(kept, keyOf(file));
      };
    },
    put: async (paths) => {
      await sideBySide([...paths], ([object, file]) => objects.copy(object, keyOf(file)));
    },
    write,
    remove: async (files) => {
      await sideBySide(files, (file) => objects.remove(keyOf(file)));
      for (const file of files) present.delete(file);
    },
    besides: (files) => Promise.resolve([...present.keys()].filter((file) => !files.includes(file))),
  } satisfies PartitionPlace<S3Object & Pick<ZoneFile, "path">>;
}

/** An empty object stands for a folder if its key ends in `/`. */
function isFolderMark({ path: file, bytes }: Pick<ZoneFile, "path" | "bytes">): boolean {
  return file.endsWith("/") && bytes === 0;
}

/** Hidden and internal names do not count, at any depth. */
function isHidden(file: string): boolean {
  return file === "" || file.split("/").some((name) => /^[._]/.test(name));
}
