import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { S3 } from "@aws-sdk/client-s3";
import { isOnS3 } from "../src/base/s3-access.js";
import { TEST_S3, type TestS3 } from "./place.js";

/** Files of a zone as a test puts and finds them there: without the code that is tested. A folder is a path or a URL on S3. */

let shared: Promise<S3> | undefined;

/** The client of the tests, with all rights. */
export async function s3(): Promise<S3> {
  if (TEST_S3 === undefined) throw new Error("TEST_S3_ENDPOINT names no S3");
  return (shared ??= clientOf(TEST_S3));
}

/** Most files of tests know folders only, and would load the client for nothing. */
const loadClient = () => import("@aws-sdk/client-s3");

async function clientOf({ endpoint, accessKeyId, secretAccessKey }: TestS3): Promise<S3> {
  const { S3 } = await loadClient();
  return new S3({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
}

export async function makeBucket(name: string): Promise<void> {
  await (await s3()).createBucket({ Bucket: name });
}

export async function copyBucket(from: string, to: string): Promise<void> {
  const client = await s3();
  for (const key of await keysBelow(from, ""))
    await client.copyObject({ Bucket: to, Key: key, CopySource: encodeURIComponent(`${from}/${key}`) });
}

export async function dropBucket(name: string): Promise<void> {
  for (const key of await keysBelow(name, "")) await (await s3()).deleteObject({ Bucket: name, Key: key });
  await (await s3()).deleteBucket({ Bucket: name });
}

/** Puts a file below a folder, and makes the folders between. */
export async function putFile(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  if (isOnS3(folder)) {
    await (await s3()).putObject({ ...addressOf(folder, name), Body: Buffer.from(content) });
    return;
  }
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

export async function getFile(folder: string, name: string): Promise<Buffer> {
  if (!isOnS3(folder)) return readFile(path.join(folder, name));
  const { Body } = await (await s3()).getObject(addressOf(folder, name));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

export async function removeFile(folder: string, name: string): Promise<void> {
  if (isOnS3(folder)) await (await s3()).deleteObject(addressOf(folder, name));
  else await rm(path.join(folder, name));
}

/** The names of all files below a folder, sorted. */
export async function listFiles(folder: string): Promise<string[]> {
  if (isOnS3(folder)) {
    const { Bucket, Key } = addressOf(folder, "");
    return (await keysBelow(Bucket, Key)).map((key) => key.slice(Key.length)).sort();
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** The SHA-256 of every file below a folder, by its path. Nothing where the folder is not there. */
export async function hashesOf(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of await listFiles(folder)) {
    hashes[name] = createHash("sha256")
      .update(await getFile(folder, name))
      .digest("hex");
  }
  return hashes;
}

/** The uploads to a file on S3 that were begun and not completed. MinIO finds them under the file's whole name only. */
export async function uploadsTo(folder: string, name: string): Promise<string[]> {
  const { Bucket, Key } = addressOf(folder, name);
  const { Uploads = [] } = await (await s3()).listMultipartUploads({ Bucket, Prefix: Key });
  return Uploads.flatMap(({ UploadId }) => UploadId ?? []);
}

async function keysBelow(bucket: string, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  const { paginateListObjectsV2 } = await loadClient();
  const pages = paginateListObjectsV2({ client: await s3() }, { Bucket: bucket, Prefix: prefix });
  for await (const { Contents = [] } of pages) {
    keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
  }
  return keys;
}

function addressOf(folder: string, name: string): { Bucket: string; Key: string } {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(folder) ?? [];
  return { Bucket: bucket, Key: prefix === "" ? name : `${prefix}/${name}` };
}
