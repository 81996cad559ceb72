import { randomBytes } from "node:crypto";
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { S3Objects } from "../../../src/zones/s3-objects.js";
import { getFile, listFiles, putFile, s3 } from "../../storage.js";
import { makeWorkspace } from "../../workspace.js";

const MEBIBYTE = 1024 ** 2;

let bucket: string;
let objects: S3Objects;
beforeAll(async () => {
  const { settings } = await makeWorkspace({}, "minio+sqlite");
  bucket = new URL(settings.zones.raw).host;
  // The smallest part that S3 takes, so that a copy in parts needs no five gibibytes.
  objects = new S3Objects(await s3(), bucket, "the zone under test", {
    wholeBytes: 6 * MEBIBYTE,
    partBytes: 5 * MEBIBYTE,
  });
});

async function find(key: string) {
  const object = await objects.find(key);
  if (object === undefined) throw new Error(`no object ${key}`);
  return object;
}

describe("objects on S3", () => {
  it("are all listed, even if there are more than fit into one response", async () => {
    const names = Array.from({ length: 1_050 }, (_, index) => `many/${index.toString().padStart(4, "0")}`);
    for (let start = 0; start < names.length; start += 50) {
      await Promise.all(names.slice(start, start + 50).map((name) => putFile(`s3://${bucket}`, name, "x")));
    }
    expect((await objects.list("many/")).map(({ key }) => key)).toEqual(names);
  });

  it.each([1, 5, 6, 7, 12])("of %d MiB are copied whole, under names of any kind", async (mebibytes) => {
    const content = randomBytes(mebibytes * MEBIBYTE + 1);
    const name = `from/a b+c%20#?é'(${mebibytes.toString()}).parquet`;
    await putFile(`s3://${bucket}`, name, content);
    await objects.copy(await find(name), `to/${mebibytes.toString()}`);
    expect((await getFile(`s3://${bucket}`, `to/${mebibytes.toString()}`)).equals(content)).toBe(true);
  });

  it.each([1, 12])("of %d MiB that were replaced meanwhile are not copied", async (mebibytes) => {
    await putFile(`s3://${bucket}`, "replaced", randomBytes(mebibytes * MEBIBYTE));
    const old = await find("replaced");
    await putFile(`s3://${bucket}`, "replaced", randomBytes(mebibytes * MEBIBYTE));
    await expect(objects.copy(old, "copy/of/replaced")).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    expect(await listFiles(`s3://${bucket}/copy`)).toEqual([]);
  });

  it("that were replaced after the list are not read as the same", async () => {
    await putFile(`s3://${bucket}`, "read", "one");
    const old = await find("read");
    await putFile(`s3://${bucket}`, "read", "two");
    const reading = async () => {
      for await (const chunk of objects.read(old)) return Buffer.from(chunk).toString();
      return "";
    };
    await expect(reading()).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringContaining("run again"),
    });
  });

  it("that were never completed are removed", async () => {
    const address = { Bucket: bucket, Key: "uploads/data.parquet" };
    const { UploadId } = await (await s3()).send(new CreateMultipartUploadCommand(address));
    await (
      await s3()
    ).send(new UploadPartCommand({ ...address, UploadId, PartNumber: 1, Body: Buffer.from("part") }));
    await objects.endUploads(address.Key);
    const { Uploads = [] } = await (
      await s3()
    ).send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: address.Key }));
    expect(Uploads).toEqual([]);
  });
});
