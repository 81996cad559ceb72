// Where the contenders read and write: a folder, or a prefix on S3 with the keys and the endpoint of AWS_* variables.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";

// The versions are pinned: what later ones want of Node is no concern of a bench.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** @param location a folder or `s3://bucket/prefix` */
export function openPlace(location) {
  return location.startsWith("s3://") ? placeOnS3(location) : placeInFolder(location);
}

function placeInFolder(folder) {
  return {
    prelude: "",
    put: (file, name) => {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      copyFileSync(file, path.join(folder, name));
    },
    // A script that writes to a folder needs it to be there.
    empty: (name) => {
      rmSync(path.join(folder, name), { recursive: true, force: true });
      mkdirSync(path.join(folder, name), { recursive: true });
    },
  };
}

function placeOnS3(location) {
  const { host: bucket, pathname } = new URL(location);
  const prefix = pathname.slice(1);
  const client = new S3Client({ region: process.env.AWS_REGION ?? "us-east-1", forcePathStyle: true });
  return {
    prelude: s3Prelude(),
    put: (file, name) =>
      client.send(
        new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${name}`, Body: readFileSync(file) }),
      ),
    empty: async (name) => {
      await client.send(new CreateBucketCommand({ Bucket: bucket })).catch(ignoreOwnBucket);
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/${name}/` }),
      );
      for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    },
  };
}

function ignoreOwnBucket(error) {
  if (error.name !== "BucketAlreadyOwnedByYou") throw error;
}

/** What a person says to a DuckDB of their own before it can work on S3. */
function s3Prelude() {
  const { AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, DUCKDB_EXTENSION_DIRECTORY } =
    process.env;
  const { host, protocol } = new URL(AWS_ENDPOINT_URL_S3);
  const directory =
    DUCKDB_EXTENSION_DIRECTORY === undefined
      ? "INSTALL httpfs;"
      : `SET extension_directory = '${DUCKDB_EXTENSION_DIRECTORY}';`;
  return (
    `${directory} LOAD httpfs; CREATE SECRET (TYPE s3, KEY_ID '${AWS_ACCESS_KEY_ID}', ` +
    `SECRET '${AWS_SECRET_ACCESS_KEY}', ENDPOINT '${host}', URL_STYLE path, USE_SSL ${protocol === "https:"}); `
  );
}
