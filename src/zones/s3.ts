import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { sideBySide } from "../base/concurrency.js";
import { failpoint } from "../base/failpoints.js";
import {
  isOneFile,
  MANIFEST_FILE,
  manifestText,
  partitionFinder,
  placeOf,
  sweptStaging,
  undone,
} from "./manifest.js";
import type { S3Connection } from "./s3-client.js";
import { S3Objects, type CopyLimits, type S3Object } from "./s3-objects.js";
import {
  KEPT,
  PARTITION_FILE,
  partitionFolder,
  stagedFile,
  STAGING,
  stagingFolder,
  type Commit,
  type Partition,
  type Zone,
  type ZoneFile,
} from "./zone.js";

/** Beside staged objects: a copy of the one whose place is taken. Its name does not count among what is staged. */
const REPLACED_FILE = "_replaced.parquet";

const END_UPLOADS_BY_RULE =
  "their parts take room until a rule of the bucket ends them (AbortIncompleteMultipartUpload)";

const COPIES_ANYTHING =
  "the server copies an object even if it is not the one that was asked for (CopySourceIfMatch), so let nothing else write below _staging/";

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
    commit: (runId, partition) => replacePartition({ objects, keyOf, pathOf }, runId, partition),
    keepStaged: async (runId) => {
      const staged = await objects.list(keyOf(`${STAGING}/${runId}/`));
      const kept = await sideBySide(staged, async (object) => {
        const file = `${KEPT}${pathOf(object.key).slice(STAGING.length)}`;
        await objects.copy(object, keyOf(file));
        return uriOf(file);
      });
      return kept.sort();
    },
    sweep: async (folder, runs, warn) => {
      const left = keyOf(`${folder}/${runs}`);
      const [staged, unable] = await Promise.all([objects.keys(left), objects.endUploads(left)]);
      if (unable !== undefined) warn?.(`${unable}; ${END_UPLOADS_BY_RULE}`);
      await sideBySide(staged, (key) => objects.remove(key));
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

/** The objects of a zone, and how their keys and the paths of files go together. */
interface ZoneObjects {
  readonly objects: S3Objects;
  readonly keyOf: (file: string) => string;
  readonly pathOf: (key: string) => string;
}

/**
 * Copies staged objects into a partition's folder. Of what they take the place of a copy goes to where they are; what else was
 * there stays until the commit is finished.
 */
async function replacePartition(
  { objects, keyOf, pathOf }: ZoneObjects,
  runId: string,
  partition: Partition,
): Promise<Commit> {
  const { table } = partition;
  const staging = keyOf(stagingFolder(runId, partition));
  const folder = keyOf(partitionFolder(partition));
  const file = `${folder}/${PARTITION_FILE}`;
  const manifest = `${folder}/${MANIFEST_FILE}`;
  const replacedFile = `${staging}/${REPLACED_FILE}`;
  failpoint(`${table}: commit begun`);
  const [inStaging, present] = await Promise.all([objects.list(`${staging}/`), objects.list(`${folder}/`)]);
  const staged = inStaging
    .filter(({ key }) => !isHidden(key.slice(staging.length + 1)))
    .map((object) => ({ ...object, path: pathOf(object.key) }))
    .filter((object) => !isFolderMark(object));
  const [first] = staged;
  if (first === undefined) throw sweptStaging(staging);
  const isOne = isOneFile(runId, partition, staged);
  const oldFile = isOne ? present.find(({ key }) => key === file) : undefined;
  const oldManifest = present.find(({ key }) => key === manifest);
  const [oldText] = await Promise.all([
    oldManifest && text(objects.read(oldManifest)),
    oldFile && objects.copy(oldFile, replacedFile),
  ]);
  failpoint(`${table}: old file kept`);
  const places = new Map(
    staged.map((object) => [object, isOne ? file : `${folder}/${placeOf(runId, partition, object)}`]),
  );
  const isSwept = async () => !(await objects.has(first.key));
  const undo = async () => {
    failpoint(`${table}: undo begun`);
    if (await isSwept()) return;
    // What it names is still there.
    if (oldText !== undefined) await objects.put(manifestObject(manifest, oldText));
    else if (!isOne) await objects.remove(manifest);
    failpoint(`${table}: old manifest back`);
    if (oldFile === undefined) await sideBySide([...places.values()], (key) => objects.remove(key));
    else {
      const kept = await objects.find(replacedFile);
      if (kept !== undefined) await objects.copy(kept, file);
    }
    failpoint(`${table}: old file back`);
  };
  try {
    await sideBySide([...places], ([object, key]) => objects.copy(object, key));
    failpoint(isOne ? `${table}: new file in place` : `${table}: new files in place`);
    if (!isOne) {
      await objects.put(manifestObject(manifest, manifestText(runId, partition, staged)));
      failpoint(`${table}: new manifest in place`);
    } else if (oldManifest !== undefined) {
      await objects.remove(manifest);
      failpoint(`${table}: old manifest removed`);
    }
  } catch (error) {
    throw await undone(undo, error);
  }
  return {
    undo,
    finish: async () => {
      failpoint(`${table}: finish begun`);
      const stays = [...places.values(), manifest];
      const rest = present.filter(({ key }) => !stays.includes(key));
      if (rest.length === 0 || (await isSwept())) return;
      await sideBySide(rest, ({ key }) => objects.remove(key));
      failpoint(`${table}: rest removed`);
    },
  };
}

function manifestObject(key: string, content: string) {
  return { key, content, contentType: "application/json" };
}

/** An empty object stands for a folder if its key ends in `/`. */
function isFolderMark({ path: file, bytes }: Pick<ZoneFile, "path" | "bytes">): boolean {
  return file.endsWith("/") && bytes === 0;
}

/** Hidden and internal names do not count, at any depth. */
function isHidden(file: string): boolean {
  return file === "" || file.split("/").some((name) => /^[._]/.test(name));
}
