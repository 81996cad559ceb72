import type { Documents } from "./documents.js";
import type { S3Connection } from "./s3-client.js";
import { S3Objects } from "./s3-objects.js";

/** Documents are told to people: for one of them nobody waits as long as for a partition. */
const PATIENCE_MILLISECONDS = 2_500;

/**
 * Documents below a prefix of a bucket.
 * @param root `s3://bucket/prefix`, or `s3://bucket`.
 * @param place how messages name it.
 */
export function openS3Documents({ client }: S3Connection, root: string, place: string): Documents {
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
