import { Readable } from "node:stream";
import { PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import { sideBySide } from "../side-by-side.js";
import type { S3Connection } from "./s3-client.js";
import { S3Objects, type CopyLimits, type S3Object } from "./s3-objects.js";
import {
  KEPT,
  PARTITION_FILE,
  partitionFile,
  partitionFolder,
  stagedFile,
  STAGING,
  stagingFolder,
  type Undo,
  type Zone,
  type ZoneFile,
} from "./zone.js";

/** Beside a staged object: a copy of the one whose place it took, and of what else lay there. */
const REPLACED_FILE = "replaced.parquet";
const STRANGERS = "strangers";

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
  const zoneFile = ({ key, bytes, etag }: S3Object): ZoneFile => {
    const file = pathOf(key);
    return { path: file, uri: uriOf(file), bytes, version: etag };
  };

  return {
    root,
    versionsTellContent: true,
    list: async (folder) =>
      (await objects.list(keyOf(`${folder}/`)))
        .map(zoneFile)
        .filter((file) => !isHidden(file.path.slice(folder.length + 1)))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    read: (file) =>
      Readable.from(
        objects.read({
          key: keyOf(file.path),
          ...(file.version === undefined ? {} : { etag: file.version }),
        }),
        { objectMode: false },
      ),
    find: async (partition) => {
      const object = await objects.find(keyOf(partitionFile(partition)));
      return object === undefined ? undefined : zoneFile(object);
    },
    stage: (runId, partition) => {
      const file = stagedFile(runId, partition);
      return Promise.resolve({ path: file, uri: uriOf(file) });
    },
    commit: (runId, partition) =>
      replacePartition(
        objects,
        partition.table,
        keyOf(stagingFolder(runId, partition)),
        keyOf(partitionFolder(partition)),
      ),
    keepStaged: async (runId) => {
      const staged = await objects.list(keyOf(`${STAGING}/${runId}/`));
      const kept = await sideBySide(staged, async (object) => {
        const file = `${KEPT}${pathOf(object.key).slice(STAGING.length)}`;
        await objects.copy(object, keyOf(file));
        return uriOf(file);
      });
      return kept.sort();
    },
    sweep: async (folder, runs) => {
      const left = keyOf(`${folder}/${runs}`);
      const [staged] = await Promise.all([objects.list(left), objects.endUploads(left)]);
      await sideBySide(staged, ({ key }) => objects.remove(key));
    },
  };
}

/** Copies a staged object into a partition's folder. What was there is copied to where the staged object is. */
async function replacePartition(
  objects: S3Objects,
  table: string,
  staging: string,
  folder: string,
): Promise<Undo> {
  const target = `${folder}/${PARTITION_FILE}`;
  failpoint(`${table}: commit begun`);
  const [staged, present] = await Promise.all([
    objects.find(`${staging}/${PARTITION_FILE}`),
    objects.list(`${folder}/`),
  ]);
  if (staged === undefined) {
    throw new PipelineError(
      "STORAGE_FAILED",
      `what was staged in ${staging} is gone, another run has swept it; run again`,
    );
  }
  const aside = await sideBySide(present, async (object) => {
    const kept =
      object.key === target
        ? `${staging}/${REPLACED_FILE}`
        : `${staging}/${STRANGERS}/${object.key.slice(folder.length + 1)}`;
    await objects.copy(object, kept);
    return { was: object.key, kept };
  });
  failpoint(`${table}: old file kept`);
  const undo = async () => {
    failpoint(`${table}: undo begun`);
    if ((await objects.find(staged.key)) === undefined) return;
    await sideBySide(aside, async ({ was, kept }) => {
      const object = await objects.find(kept);
      if (object !== undefined) await objects.copy(object, was);
    });
    if (!aside.some(({ was }) => was === target)) await objects.remove(target);
    failpoint(`${table}: old file back`);
  };
  try {
    await objects.copy(staged, target);
    failpoint(`${table}: new file in place`);
    await sideBySide(
      aside.filter(({ was }) => was !== target),
      ({ was }) => objects.remove(was),
    );
    failpoint(`${table}: strangers removed`);
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

/** Hidden and internal names do not count, at any depth; neither do the empty objects that stand for folders. */
function isHidden(file: string): boolean {
  return file === "" || file.endsWith("/") || file.split("/").some((name) => /^[._]/.test(name));
}
