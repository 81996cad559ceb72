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
  type S3Client,
} from "@aws-sdk/client-s3";
import { messageOf, PipelineError, systemCodeOf } from "../errors.js";
import { s3Error } from "../s3-faults.js";
import { sideBySide } from "../side-by-side.js";

/** An object of a bucket. */
export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

/** Up to how many bytes a copy is one call, and how many bytes a part of a larger one has. S3 sets the upper limits. */
export interface CopyLimits {
  readonly wholeBytes: number;
  readonly partBytes: number;
}

const MEBIBYTE = 1024 ** 2;
/** S3 takes up to 5 GiB. A service may be silent while it copies: so much is done before it is taken for dead. */
const COPY_LIMITS: CopyLimits = { wholeBytes: 1024 * MEBIBYTE, partBytes: 256 * MEBIBYTE };

/** The objects of one bucket, in the words of the pipeline. Only calls that every S3 knows. */
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

  /** Every object whose key begins with a prefix. */
  async list(prefix: string): Promise<S3Object[]> {
    const found: S3Object[] = [];
    let token: string | undefined;
    do {
      const page = await this.#asking(() =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            // XML cannot hold every character that a key can.
            EncodingType: "url",
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        ),
      );
      for (const { Key = "", Size = 0, ETag = "" } of page.Contents ?? []) {
        found.push({ key: decodeURIComponent(Key.replaceAll("+", " ")), bytes: Size, etag: unquoted(ETag) });
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  /** One object, or undefined where there is none. */
  async find(key: string): Promise<S3Object | undefined> {
    try {
      const { ContentLength = 0, ETag = "" } = await this.#client.send(
        new HeadObjectCommand({ Bucket: this.#bucket, Key: key }),
      );
      return { key, bytes: ContentLength, etag: unquoted(ETag) };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw this.#translated(error);
    }
  }

  /** The bytes of an object. Where it is another one by now than it was when it was listed, that is an error. */
  async *read({ key, etag }: Pick<S3Object, "key"> & Partial<S3Object>): AsyncGenerator<Uint8Array> {
    try {
      const { Body } = await this.#client.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          ...(etag === undefined ? {} : { IfMatch: `"${etag}"` }),
        }),
      );
      for await (const chunk of Body as AsyncIterable<Uint8Array>) yield chunk;
    } catch (error) {
      if (statusOf(error) === 412 || statusOf(error) === 404) {
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
    if (from.bytes > this.#copyLimits.wholeBytes) await this.#copyInParts(from.bytes, source);
    else await this.#asking(() => this.#client.send(new CopyObjectCommand(source)));
  }

  /**
   * Puts an object in one call. It shows when it is whole.
   * @param signal ends the call, and what would be tried again, sooner than the patience of the client does.
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

  /** Ends the uploads below a prefix that were begun and not completed: their parts take room, and no list shows them. */
  async endUploads(prefix: string): Promise<void> {
    const { Uploads = [] } = await this.#asking(() =>
      this.#client.send(new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix })),
    );
    await sideBySide(Uploads, ({ Key, UploadId }) =>
      this.#asking(() =>
        this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId })),
      ),
    );
  }

  async #copyInParts(
    bytes: number,
    source: { Bucket: string; Key: string; CopySource: string; CopySourceIfMatch: string },
  ): Promise<void> {
    const { Bucket, Key } = source;
    const { UploadId } = await this.#asking(() =>
      this.#client.send(new CreateMultipartUploadCommand({ Bucket, Key })),
    );
    try {
      const { partBytes } = this.#copyLimits;
      const numbers = Array.from({ length: Math.ceil(bytes / partBytes) }, (_, index) => index + 1);
      const parts = await sideBySide(numbers, async (PartNumber) => {
        const first = (PartNumber - 1) * partBytes;
        const last = Math.min(first + partBytes, bytes) - 1;
        const { CopyPartResult } = await this.#asking(() =>
          this.#client.send(
            new UploadPartCopyCommand({
              ...source,
              UploadId,
              PartNumber,
              CopySourceRange: `bytes=${first.toString()}-${last.toString()}`,
            }),
          ),
        );
        return { PartNumber, ETag: CopyPartResult?.ETag };
      });
      await this.#asking(() =>
        this.#client.send(
          new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }),
        ),
      );
    } catch (error) {
      // The fault to tell is the first one; what is left of the upload ends with the next sweep.
      await this.#client
        .send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
        .catch(() => undefined);
      throw error;
    }
  }

  #sourceOf({ key }: S3Object): string {
    return [this.#bucket, ...key.split("/")].map(encodeURIComponent).join("/");
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
    return s3Error({
      place: this.#place,
      code,
      status,
      message: messageOf(error).split("\n", 1)[0] ?? "",
      cause: error,
    });
  }
}

/** Errors that the SDK makes itself, before or without an answer. */
const OF_THE_SDK = /^(CredentialsProviderError|TokenProviderError|TimeoutError|AbortError)$/;

/** The SDK gives an error of S3 its code for a name. */
function nameOf(error: unknown): string | undefined {
  const isNamed =
    typeof error === "object" && error !== null && "name" in error && typeof error.name === "string";
  return isNamed && error.name !== "Error" ? String(error.name) : undefined;
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

function unquoted(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}
