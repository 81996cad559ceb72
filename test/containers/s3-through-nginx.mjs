// Puts objects through nginx into MinIO and back: node s3-through-nginx.mjs http://localhost:9000, with AWS_… set.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import * as s3 from "@aws-sdk/client-s3";

const BUCKET = "through-nginx";
const LARGE_BYTES = 200 * 1024 * 1024;
const ODD_KEYS = [
  "a b+c%20#?é.csv",
  "execution_date=2020-05-29T000000/data.parquet",
  "~!*'();:@&=$,[]",
  "日本/😀",
  "%2F",
  "a\\b",
];

const endpoint = process.argv[2];
const client = new s3.S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  requestChecksumCalculation: "WHEN_REQUIRED",
});
const send = (Command, input) => client.send(new s3[Command]({ Bucket: BUCKET, ...input }));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

await send("CreateBucketCommand");
await oddKeys();
await largeObject();
await connectionsAreKept();
await client.destroy();

/** Signed, stored and listed as they are; a proxy that decodes or cleans a path breaks the signature of one of them. */
async function oddKeys() {
  for (const Key of ODD_KEYS) {
    await send("PutObjectCommand", { Key, Body: `this is ${Key}` });
    const { Body } = await send("GetObjectCommand", { Key });
    assert.equal(await Body.transformToString(), `this is ${Key}`);
    const copy = `copy/${Key}`;
    await send("CopyObjectCommand", { Key: copy, CopySource: encodeURIComponent(`${BUCKET}/${Key}`) });
    await send("HeadObjectCommand", { Key: copy });
  }
  // A path that is cleaned on the way would be taken, or its signature refused.
  await assert.rejects(send("PutObjectCommand", { Key: "a//b", Body: "x" }), {
    name: "XMinioInvalidObjectName",
  });
  const { Contents } = await send("ListObjectsV2Command");
  assert.deepEqual(
    new Set(Contents.map(({ Key }) => Key)),
    new Set(ODD_KEYS.flatMap((key) => [key, `copy/${key}`])),
  );
  for (const { Key } of Contents) await send("DeleteObjectCommand", { Key });
  process.stdout.write(`${ODD_KEYS.length} odd keys; `);
}

async function largeObject() {
  const Body = randomBytes(LARGE_BYTES);
  await send("PutObjectCommand", { Key: "large", Body });
  const whole = await send("GetObjectCommand", { Key: "large" });
  assert.equal(sha256(await whole.Body.transformToByteArray()), sha256(Body));
  const part = await send("GetObjectCommand", { Key: "large", Range: "bytes=1000000-1000099" });
  assert.deepEqual(Buffer.from(await part.Body.transformToByteArray()), Body.subarray(1_000_000, 1_000_100));
  process.stdout.write(`${LARGE_BYTES / 1024 / 1024} MiB in one PUT, and back; `);
}

async function connectionsAreKept() {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set();
  for (let number = 0; number < 5; number++) {
    await new Promise((resolve, reject) => {
      const asked = request(`${endpoint}/minio/health/live`, { agent }, (response) => {
        ports.add(response.socket.localPort);
        response.resume().on("end", resolve);
      });
      asked.on("error", reject).end();
    });
  }
  agent.destroy();
  assert.equal(ports.size, 1);
  process.stdout.write("one connection for 5 requests");
}
