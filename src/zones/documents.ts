import path from "node:path";
import { writeWhole } from "../base/files.js";
import type { S3Connection } from "./s3-client.js";

/** A place for whole documents. It is not a zone: nothing is staged there, and nothing is read back. */
export interface Documents {
  /**
   * Replaces the document of the same name. A reader sees the old one or the new one.
   * @param name the file name, for example `2020-05-29T000000-0aa00fb62f7b.html`.
   */
  put(name: string, document: Document): Promise<void>;
}

interface Document {
  readonly content: string;
  /** `text/html; charset=utf-8`. */
  readonly contentType: string;
}

/** Documents are for people, so the wait is shorter than for a partition. */
const PATIENCE_MILLISECONDS = 2_500;

/** A folder of this machine, which is made with its first document. */
export function openLocalDocuments(folder: string): Documents {
  return { put: (name, { content }) => writeWhole(path.join(folder, name), content) };
}

/**
 * Documents below a prefix of a bucket.
 * @param root `s3://bucket/prefix`, or `s3://bucket`.
 * @param place how messages name it.
 */
export async function openS3Documents(
  { client }: S3Connection,
  root: string,
  place: string,
): Promise<Documents> {
  const { S3Objects } = await import("./s3-objects.js");
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(root) ?? [];
  const objects = new S3Objects(client, bucket, place);
  return {
    put: (name, { content, contentType }) =>
      objects.put(
        { key: prefix === "" ? name : `${prefix}/${name}`, content, contentType },
        AbortSignal.timeout(PATIENCE_MILLISECONDS),
      ),
  };
}
