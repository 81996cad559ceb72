import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { S3Objects } from "../../src/zones/s3-objects.js";

/** Stands for servers and proxies that answer lists wrongly: what it answers, by the token or marker it is asked with. */
let server: Server;
let objects: S3Objects;
let pages: (marker: string | null) => string;
let requests: URL[];

beforeAll(async () => {
  server = createServer((incoming, outgoing) => {
    incoming.resume();
    const url = new URL(incoming.url ?? "", "http://s3");
    requests.push(url);
    const marker = url.searchParams.get("continuation-token") ?? url.searchParams.get("key-marker");
    outgoing.writeHead(incoming.method === "DELETE" ? 204 : 200);
    outgoing.end(incoming.method === "DELETE" ? "" : pages(marker));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
  });
  objects = new S3Objects(client, "lake", "the zone s3://lake (RAW_ZONE)");
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  requests = [];
});

function object(key: string): string {
  return `<Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag></Contents>`;
}

function list(...content: string[]): string {
  return `<?xml version="1.0"?><ListBucketResult><Name>lake</Name>${content.join("")}</ListBucketResult>`;
}

const MORE = "<IsTruncated>true</IsTruncated>";
const LAST = "<IsTruncated>false</IsTruncated>";
const next = (token: string) => `<NextContinuationToken>${token}</NextContinuationToken>`;

async function keys(): Promise<string[]> {
  return (await objects.list("p/")).map(({ key }) => key);
}

describe("a list of objects on S3", () => {
  it("continues until the server reports its end", async () => {
    pages = (token) => (token === null ? list(object("p/a"), MORE, next("t")) : list(object("p/b"), LAST));
    expect(await keys()).toEqual(["p/a", "p/b"]);
  });

  it("continues over a page without keys", async () => {
    pages = (token) => (token === null ? list(MORE, next("t")) : list(object("p/b"), LAST));
    expect(await keys()).toEqual(["p/b"]);
  });

  it("continues if the server gives a token, and does not report that there is more", async () => {
    pages = (token) => (token === null ? list(object("p/a"), next("t")) : list(object("p/b")));
    expect(await keys()).toEqual(["p/a", "p/b"]);
  });

  it("ends if the server does not report its end, on a page that is not full", async () => {
    pages = () => list(object("p/a"), "<MaxKeys>1000</MaxKeys>");
    expect(await keys()).toEqual(["p/a"]);
  });

  it("has an object once if two pages have it", async () => {
    pages = (token) =>
      token === null
        ? list(object("p/a"), object("p/b"), MORE, next("t"))
        : list(object("p/b"), object("p/c"), LAST);
    expect(await keys()).toEqual(["p/a", "p/b", "p/c"]);
  });

  const thousand = Array.from({ length: 1_000 }, (_, index) => object(`p/${index.toString()}`)).join("");
  let counter = 0;
  it.each<[string, (token: string | null) => string, string]>([
    [
      "says that there is more, without a token",
      () => list(object("p/a"), MORE),
      "without a continuation token",
    ],
    ["has an empty token", () => list(object("p/a"), MORE, next("")), "without a continuation token"],
    ["gives a full page, and does not say whether there is more", () => list(thousand), "does not report"],
    ["answers with nothing", () => "", "does not report"],
    ["answers with another document", () => "<html><body>Sign in</body></html>", "does not report"],
    ["answers with a page that is no XML", () => "<html><br>Sign in</html>", "not an S3 answer"],
    ["breaks off in its XML", () => list(object("p/a")).slice(0, 90), "not an S3 answer"],
    ["gives the same token again and again", () => list(MORE, next("t")), "never ends"],
    [
      "goes round in tokens",
      (token) => list(object(`p/${String(counter++)}`), MORE, next({ a: "b", b: "c" }[token ?? ""] ?? "a")),
      "never ends",
    ],
    [
      "gives the same keys under ever new tokens",
      () => list(object("p/a"), MORE, next(String(counter++))),
      "same keys",
    ],
    ["gives ever new tokens and no keys", () => list(MORE, next(String(counter++))), "never ends"],
    ["gives keys that were not asked for", () => list(object("q/a"), LAST), "in a list of p/"],
    ["encodes keys and does not say so", () => list(object("p%2Fa"), LAST), "in a list of p/"],
    ["gives an object without a key", () => list("<Contents><Size>1</Size></Contents>", LAST), "none at all"],
    [
      "gives an object without a size",
      () => list('<Contents><Key>p/a</Key><ETag>"e"</ETag></Contents>', LAST),
      "the size of p/a",
    ],
    [
      "encodes a key wrongly",
      () => list(object("p/100%"), "<EncodingType>url</EncodingType>", LAST),
      "invalid key encoding: p/100%",
    ],
    [
      "encodes a key in another code than UTF-8",
      () => list(object("p/%E9"), "<EncodingType>url</EncodingType>", LAST),
      "invalid key encoding: p/%E9",
    ],
  ])("fails if the server %s", async (_fault, answer, words) => {
    pages = answer;
    await expect(keys()).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringContaining(words),
    });
    await expect(keys()).rejects.toThrow("RAW_ZONE");
  });

  it("fails if the server gives no ETags", async () => {
    pages = () => list("<Contents><Key>p/a</Key><Size>1</Size></Contents>", LAST);
    await expect(keys()).rejects.toMatchObject({
      code: "ZONE_NOT_USABLE",
      message: expect.stringContaining("no ETag for p/a"),
    });
  });

  it("has unchanged keys if the server has not encoded them", async () => {
    pages = () => list(object("p/a+b"), object("p/100%"), object("p/c%2Bd"), LAST);
    expect(await keys()).toEqual(["p/a+b", "p/100%", "p/c%2Bd"]);
  });

  it("has decoded keys if the server reports that it has encoded them", async () => {
    pages = () => list(object("p/a+b%2B%20c%25"), "<EncodingType>url</EncodingType>", LAST);
    expect(await keys()).toEqual(["p/a b+ c%"]);
  });
});

describe("a list of uploads on S3", () => {
  const upload = (id: string, key = "p/a") => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`;
  const uploads = (...content: string[]) =>
    `<ListMultipartUploadsResult><Bucket>lake</Bucket>${content.join("")}</ListMultipartUploadsResult>`;
  const nextUpload = (key: string, id: string) =>
    `<NextKeyMarker>${key}</NextKeyMarker><NextUploadIdMarker>${id}</NextUploadIdMarker>`;
  const ended = () => requests.flatMap(({ searchParams }) => searchParams.get("uploadId") ?? []).sort();

  it("continues to its end, and all are ended", async () => {
    pages = (marker) =>
      marker === null
        ? uploads(upload("1"), MORE, nextUpload("p/a", "1"))
        : uploads(upload("2"), upload("3", "p/b"), LAST);
    expect(await objects.endUploads("p/")).toBeUndefined();
    expect(requests[1]?.searchParams.get("upload-id-marker")).toBe("1");
    expect(ended()).toEqual(["1", "2", "3"]);
  });

  it.each([
    [
      "says that there is more, without a marker",
      () => uploads(upload("1"), MORE),
      "without a continuation token",
    ],
    ["gives the same marker for ever", () => uploads(MORE, nextUpload("p/a", "1")), "never ends"],
    [
      "gives the same uploads for ever",
      () => uploads(upload("1"), MORE, nextUpload("p/a", "1")),
      "same keys",
    ],
    ["gives uploads that were not asked for", () => uploads(upload("1", "q/a"), LAST), "in a list of p/"],
  ])("fails if the server %s, and none is ended", async (_fault, answer, words) => {
    pages = answer;
    await expect(objects.endUploads("p/")).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringContaining(words),
    });
    expect(ended()).toEqual([]);
  });
});
