import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCopyCommand,
  type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { sideBySide } from "../base/concurrency.js";
import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import { s3Error } from "../base/s3-faults.js";
import { printable, counting } from "../base/words.js";

/** An object of a bucket. */
export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  /** When it was put there, by the listing. */
  readonly modified?: string;
}

/** Up to how many bytes a copy is one call, and how many bytes a part of a larger one has. S3 sets the upper limits. */
export interface CopyLimits {
  readonly wholeBytes: number;
  readonly partBytes: number;
}

const MEBIBYTE = 1024 ** 2;
/**
 * S3 accepts up to 5 GiB. A service can be silent during a copy: a copy of this size ends before the client takes the
 * service for dead.
 */
const COPY_LIMITS: CopyLimits = { wholeBytes: 1024 * MEBIBYTE, partBytes: 256 * MEBIBYTE };

/** How many objects S3 lists in an answer at the most. */
const DEFAULT_PAGE = 1_000;
/** Some servers return pages without keys, for example for removed objects. After so many in a row, the list is faulty. */
const MAX_BARREN_PAGES = 200;

/** A listed object. Its key is readable; all other fields may be missing. */
interface ListedObject {
  readonly key: string;
  readonly Size?: number | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}

/** An object to read, with its known properties. */
type ReadObject = Pick<S3Object, "key"> & {
  readonly [Known in "etag" | "bytes"]?: S3Object[Known] | undefined;
};

/** The properties of an object from a HEAD request. Some proxies remove the ETag. */
interface ObjectHead {
  readonly bytes: number;
  readonly etag: string | undefined;
  readonly changed: number | undefined;
}

/** The common fields of all lists. */
interface ListPage {
  readonly IsTruncated?: boolean | undefined;
  readonly MaxKeys?: number | undefined;
}

/** A list that comes in pages. */
interface List<Page, Marker> {
  readonly ask: (marker: Marker | undefined) => Promise<Page>;
  /** The parameters of the request for the next page. */
  readonly next: (page: Page) => Marker | undefined;
  /** The names on a page, which differ from those of all other pages. */
  readonly namesOf: (page: Page) => readonly string[];
}

interface UploadMarker {
  readonly KeyMarker: string;
  readonly UploadIdMarker?: string;
}

/** The objects of one bucket, in the words of the pipeline. It uses only calls that every S3 server knows. */
export class S3Objects {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #place: string;
  readonly #copyLimits: CopyLimits;

  /** @param place how messages name the zone. */
  constructor(client: S3Client, bucket: string, place: string, copyLimits: CopyLimits = COPY_LIMITS) {
    this.#client = client;
    this.#bucket = bucket;
    this.#place = place;
    this.#copyLimits = copyLimits;
  }

  /**
   * Every object whose key begins with a prefix.
   * @throws PipelineError STORAGE_FAILED if the server leaves out a part, never comes to an end, or gives keys that cannot be read;
   * ZONE_NOT_USABLE if it gives no ETags.
   */
  async list(prefix: string): Promise<S3Object[]> {
    return (await this.#listed(prefix)).map(({ key, Size, ETag, LastModified }) => ({
      ...this.#known(key, Size, ETag),
      ...(LastModified === undefined ? {} : { modified: LastModified.toISOString() }),
    }));
  }

  /**
   * The key of every object whose key begins with a prefix, also from a server that gives no ETags.
   * @throws PipelineError STORAGE_FAILED as `list` does.
   */
  async keys(prefix: string): Promise<string[]> {
    return (await this.#listed(prefix)).map(({ key }) => key);
  }

  /** One object, or undefined if there is none. */
  async find(key: string): Promise<S3Object | undefined> {
    // A list gives the ETag, like everywhere here: some proxies remove the ETag of a response without a body.
    return (await this.list(key)).find((object) => object.key === key);
  }

  /** Whether there is an object of that key. */
  async has(key: string): Promise<boolean> {
    return (await this.#head(key)) !== undefined;
  }

  /**
   * Finds out why an object differs from the listed one, or is unreadable.
   * @throws PipelineError ZONE_NOT_USABLE if the object stays the same but the server gives it other ETags,
   * STORAGE_FAILED if it gives it other sizes.
   */
  async assertConsistent(key: string): Promise<void> {
    const before = await this.#head(key);
    const listed = await this.find(key);
    const after = await this.#head(key);
    if (before === undefined || listed === undefined || after === undefined) return;
    if (before.changed !== after.changed) return;
    const seen = [before, listed, after];
    const etags = seen.flatMap(({ etag }) => etag ?? []);
    const told = (values: readonly (string | number)[]) =>
      `${values.join(", ")} in answers to HEAD, a list and HEAD, although the object did not change. `;
    if (new Set(etags).size > 1)
      throw this.#faultyServer(
        "ZONE_NOT_USABLE",
        `it gives ${key} the ETags ${told(etags.map((etag) => `"${etag}"`))}` +
          "The pipeline needs ETags to detect replaced objects. Configure the server and its proxies to pass ETags unchanged",
      );
    const sizes = seen.map(({ bytes }) => bytes);
    if (new Set(sizes).size > 1)
      throw this.#faultyServer("STORAGE_FAILED", `it gives ${key} the sizes ${told(sizes)}${OTHER_BYTES}`);
  }

  /**
   * The bytes of an object. An object that changed since the listing is an error.
   * @throws PipelineError STORAGE_FAILED also if the server sends more or fewer bytes than listed.
   */
  async *read({ key, etag, bytes }: ReadObject): AsyncGenerator<Uint8Array> {
    try {
      const { Body, ContentLength } = await this.#client.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          ...(etag === undefined ? {} : { IfMatch: `"${etag}"` }),
        }),
      );
      const content = Body as Readable;
      if (ContentLength !== undefined && ContentLength !== (bytes ?? ContentLength)) {
        content.destroy();
        throw this.#otherBytes(key, bytes, ContentLength);
      }
      let sent = 0;
      for await (const chunk of content as AsyncIterable<Uint8Array>) {
        sent += chunk.length;
        yield chunk;
      }
      if (sent !== (bytes ?? sent)) throw this.#otherBytes(key, bytes, sent);
    } catch (error) {
      if (statusOf(error) === 412 || statusOf(error) === 404) {
        if (statusOf(error) === 412) await this.assertConsistent(key);
        throw new PipelineError(
          "STORAGE_FAILED",
          `${key} in ${this.#place} was replaced or removed while it was being read; run again`,
          { cause: error },
        );
      }
      throw this.#translated(error);
    }
  }

  /** Copies an object within the bucket, without its bytes leaving the service. The copy shows when it is whole. */
  async copy(from: S3Object, to: string): Promise<void> {
    const source = {
      Bucket: this.#bucket,
      Key: to,
      CopySource: this.#sourceOf(from),
      CopySourceIfMatch: `"${from.etag}"`,
    };
    try {
      if (from.bytes > this.#copyLimits.wholeBytes) await this.#copyInParts(from.bytes, source);
      else {
        const { CopyObjectResult } = await this.#client.send(new CopyObjectCommand(source));
        this.#etagOf(CopyObjectResult?.ETag, `the copy of ${from.key}`);
      }
    } catch (error) {
      if (statusOf(error) === 412) await this.assertConsistent(from.key);
      throw this.#translated(error);
    }
  }

  /** Whether the server refuses to copy an object if its ETag is not the requested one. */
  async refusesToCopy(from: S3Object, to: string): Promise<boolean> {
    try {
      await this.copy({ ...from, etag: "00000000000000000000000000000000" }, to);
      return false;
    } catch (error) {
      if (error instanceof PipelineError && statusOf(error.cause) === 412) return true;
      throw error;
    }
  }

  /**
   * Puts an object in one call. Readers see it when it is complete.
   * @param signal ends the call and its retries earlier than the patience of the client does.
   */
  async put(
    { key, content, contentType }: { key: string; content: string; contentType: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const put = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: content,
      ContentType: contentType,
    });
    await this.#asking(() => this.#client.send(put, signal && { abortSignal: signal }));
  }

  async remove(key: string): Promise<void> {
    await this.#asking(() => this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })));
  }

  /**
   * Ends the incomplete uploads below a prefix: their parts take up space, and no list shows them.
   * @param confirm is asked when they are found. If it rejects, none ends.
   * @returns the reason if the server does not support the list of uploads.
   */
  async endUploads(prefix: string, confirm?: () => Promise<void>): Promise<string | undefined> {
    const pages = this.#pages<ListMultipartUploadsCommandOutput, UploadMarker>({
      ask: (marker) =>
        this.#client.send(
          new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix, ...marker }),
        ),
      next: ({ NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker }) =>
        KeyMarker ? { KeyMarker, ...(UploadIdMarker ? { UploadIdMarker } : {}) } : undefined,
      namesOf: ({ Uploads = [] }) => Uploads.map(({ Key, UploadId }) => JSON.stringify([Key, UploadId])),
    });
    const uploads: { Key: string; UploadId: string | undefined }[] = [];
    try {
      for await (const { Uploads = [], EncodingType } of pages) {
        for (const { Key, UploadId } of Uploads)
          uploads.push({ Key: this.#keyOf(Key, EncodingType, prefix), UploadId });
      }
    } catch (error) {
      if (!isUnknownCall(error)) throw error;
      return `${this.#place} cannot list unfinished uploads: ${said(error.cause)}`;
    }
    if (uploads.length > 0) await confirm?.();
    await sideBySide(uploads, (upload) =>
      this.#asking(() =>
        this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, ...upload })),
      ),
    );
    return undefined;
  }

  async #listed(prefix: string): Promise<ListedObject[]> {
    const pages = this.#pages<ListObjectsV2CommandOutput, { ContinuationToken: string }>({
      ask: (token) =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            // XML cannot hold every character that a key can.
            EncodingType: "url",
            ...token,
          }),
        ),
      next: ({ NextContinuationToken: token }) => (token ? { ContinuationToken: token } : undefined),
      namesOf: ({ Contents = [] }) => Contents.map(({ Key = "" }) => Key),
    });
    const found = new Map<string, ListedObject>();
    for await (const { Contents = [], EncodingType } of pages) {
      for (const { Key, ...known } of Contents) {
        const key = this.#keyOf(Key, EncodingType, prefix);
        found.set(key, { ...known, key });
      }
    }
    return [...found.values()];
  }

  /**
   * All pages of a list.
   * @throws PipelineError STORAGE_FAILED if the server does not report how the list continues, or if the list never
   * ends.
   */
  async *#pages<Page extends ListPage, Marker extends object>({
    ask,
    next,
    namesOf,
  }: List<Page, Marker>): AsyncGenerator<Page> {
    const markers = new Set<string>();
    const names = new Set<string>();
    let barrenPages = 0;
    for (let marker: Marker | undefined; ;) {
      const page = await this.#asking(() => ask(marker));
      const namesOfPage = namesOf(page);
      const known = names.size;
      for (const name of namesOfPage) names.add(name);
      if (namesOfPage.length > 0 && names.size === known) throw this.#brokenList("it repeats the same keys");
      yield page;
      marker = next(page);
      if (page.IsTruncated === false) return;
      if (marker === undefined) {
        if (page.IsTruncated === true)
          throw this.#brokenList("it truncates a list without a continuation token");
        // Some servers do not report the end of a list. A full page may not be the last one.
        if (isList(page) && namesOfPage.length < (page.MaxKeys ?? DEFAULT_PAGE)) return;
        throw this.#brokenList("it does not report whether a list is truncated");
      }
      barrenPages = names.size === known ? barrenPages + 1 : 0;
      const text = JSON.stringify(marker);
      if (markers.has(text) || barrenPages > MAX_BARREN_PAGES)
        throw this.#brokenList("the list never ends: its continuation tokens give no new keys");
      markers.add(text);
    }
  }

  /** The key of a listed object. Some servers do not encode keys as requested; those that encode them report it. */
  #keyOf(listed: string | undefined, encoding: string | undefined, prefix: string): string {
    const key = encoding === "url" ? decoded(listed) : listed;
    if (key === undefined)
      throw this.#brokenList(`it gives an invalid key encoding: ${printable(listed ?? "none at all")}`);
    if (!key.startsWith(prefix)) throw this.#brokenList(`it gives ${printable(key)} in a list of ${prefix}`);
    return key;
  }

  #known(key: string, bytes: number | undefined, etag: string | undefined): S3Object {
    if (bytes === undefined || !Number.isSafeInteger(bytes))
      throw this.#brokenList(`it does not report the size of ${printable(key)}`);
    return { key, bytes, etag: this.#etagOf(etag, `${key} in its lists`) };
  }

  #etagOf(etag: string | undefined, what: string): string {
    if (etag !== undefined && etag !== "") return unquoted(etag);
    throw this.#faultyServer(
      "ZONE_NOT_USABLE",
      `it gives no ETag for ${what}. The pipeline needs ETags to detect replaced objects. ` +
        "Configure every proxy to pass ETags, or use another server",
    );
  }

  #otherBytes(key: string, listed: number | undefined, sent: number): PipelineError {
    return this.#faultyServer(
      "STORAGE_FAILED",
      `it sends ${counting(sent, "byte")} of ${key}, which has ${String(listed)} in its lists. ${OTHER_BYTES}`,
    );
  }

  #brokenList(what: string): PipelineError {
    return this.#faultyServer(
      "STORAGE_FAILED",
      `${what}. The list may be incomplete, so the pipeline did not use it. ` +
        "This is a fault of the server or a proxy. Ask its operator, or check AWS_ENDPOINT_URL_S3",
    );
  }

  #faultyServer(code: "STORAGE_FAILED" | "ZONE_NOT_USABLE", what: string): PipelineError {
    return new PipelineError(code, `the S3 server of ${this.#place} gives invalid answers: ${what}`);
  }

  async #head(key: string): Promise<ObjectHead | undefined> {
    try {
      const { ContentLength, ETag, LastModified } = await this.#client.send(
        new HeadObjectCommand({ Bucket: this.#bucket, Key: key }),
      );
      return {
        bytes: ContentLength ?? 0,
        etag: ETag ? unquoted(ETag) : undefined,
        changed: LastModified?.getTime(),
      };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw this.#translated(error);
    }
  }

  async #copyInParts(
    bytes: number,
    source: { Bucket: string; Key: string; CopySource: string; CopySourceIfMatch: string },
  ): Promise<void> {
    const { Bucket, Key } = source;
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    try {
      const { partBytes } = this.#copyLimits;
      const numbers = Array.from({ length: Math.ceil(bytes / partBytes) }, (_, index) => index + 1);
      const parts = await sideBySide(numbers, async (PartNumber) => {
        const first = (PartNumber - 1) * partBytes;
        const last = Math.min(first + partBytes, bytes) - 1;
        const { CopyPartResult } = await this.#client.send(
          new UploadPartCopyCommand({
            ...source,
            UploadId,
            PartNumber,
            CopySourceRange: `bytes=${first.toString()}-${last.toString()}`,
          }),
        );
        this.#etagOf(CopyPartResult?.ETag, `a part of ${Key}`);
        return { PartNumber, ETag: CopyPartResult?.ETag };
      });
      await this.#client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }),
      );
    } catch (error) {
      // The first error is the one to report. The next sweep removes the rest of the upload.
      await this.#client
        .send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
        .catch(() => undefined);
      throw error;
    }
  }

  #sourceOf({ key }: S3Object): string {
    // Every server reads `=` as it is, but some do not decode it. The folders of partitions have one in their names.
    return [this.#bucket, ...key.split("/")].map(encodeURIComponent).join("/").replaceAll("%3D", "=");
  }

  async #asking<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      throw this.#translated(error);
    }
  }

  #translated(error: unknown): unknown {
    const code = systemCodeOf(error) ?? nameOf(error);
    const status = statusOf(error);
    const isOfS3 = status !== undefined || systemCodeOf(error) !== undefined || OF_THE_SDK.test(code ?? "");
    if (error instanceof PipelineError || !isOfS3) return error;
    const message = messageOf(error).split("\n", 1)[0] ?? "";
    const isOdd = code === "Unknown" || /XML parse error|Deserialization error/.test(messageOf(error));
    return s3Error({
      place: this.#place,
      code: isOdd ? undefined : code,
      status,
      message: isOdd ? `HTTP ${String(status)}, and the answer is not an S3 answer (${message})` : message,
      cause: error,
    });
  }
}

const OTHER_BYTES =
  "Run again. If this happens again, configure the server and its proxies to pass objects unchanged";

/** Errors that the SDK raises itself, before or without a response. */
const OF_THE_SDK = /^(CredentialsProviderError|TokenProviderError|TimeoutError|AbortError)$/;

/** The SDK uses the code of an S3 error as its name. */
function nameOf(error: unknown): string | undefined {
  const isNamed =
    typeof error === "object" && error !== null && "name" in error && typeof error.name === "string";
  return isNamed && error.name !== "Error" ? String(error.name) : undefined;
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

/** The error text of a response: `NotImplemented: this call is not known`. */
function said(error: unknown): string {
  return [nameOf(error), messageOf(error)].filter((text) => text !== undefined).join(": ");
}

/** Whether the server does not know the requested call. */
function isUnknownCall(error: unknown): error is PipelineError {
  const status = error instanceof PipelineError ? statusOf(error.cause) : undefined;
  return status === 405 || status === 501;
}

/** Whether a response is a list at all: every server describes the listed objects. */
function isList(page: object): boolean {
  return ["Contents", "KeyCount", "MaxKeys", "MaxUploads", "Name", "Bucket", "Prefix", "Uploads"].some(
    (name) => name in page,
  );
}

/** The decoded text; undefined if it is not decodable. */
function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** This includes weak ETags: a proxy that compresses responses makes them weak. */
function unquoted(etag: string): string {
  return etag.replace(/^W\//, "").replace(/^"|"$/g, "");
}
