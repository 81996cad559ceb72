import { PipelineError } from "../../base/errors.js";

/** How Hadoop's client for S3 tells what S3, or the way there, has said: what was to be done, where, and what came of it. */
const FAULT = /(\w+) on (s3a:\/\/[^\s:']+)[^\n]*?: software\.amazon\.awssdk\.[\w.]+: ([^\n]*)/;

const STATUS = /\(Service: \w+, Status Code: ([0-9]{3})/;

const RIGHTS = "give its keys the rights to list, read, write and delete there (fs.s3a.access.key)";
const ENDPOINT = "check its fs.s3a.endpoint";
const CLIENT =
  "put hadoop-aws, of the version of its Hadoop, and the AWS SDK on the class path of driver and executors";

/**
 * A fault that a cluster has met on the way to S3, or with its client for it; undefined where it is another.
 * @param said all that Spark says, with the causes.
 */
export function s3aFault(server: string, said: string): PipelineError | undefined {
  if (/S3AFileSystem not found|No FileSystem for scheme "?s3a/.test(said))
    return notUsable(server, "has no client for S3", CLIENT);
  if (/NoAuthWithAWSException|NoAwsCredentialsException/.test(said))
    return notUsable(
      server,
      "has no keys for S3",
      "set fs.s3a.access.key and fs.s3a.secret.key there, or give it a role",
    );
  const [, operation, place, text] = FAULT.exec(said) ?? [];
  if (operation === undefined || place === undefined || text === undefined) return undefined;
  const [what = ""] = text.split(/\. | \((?:Service|SDK)|:\s{2,}/, 1);
  const fault = `${operation} on ${place}: ${what}`;
  const status = Number(STATUS.exec(text)?.[1] ?? 0);
  if (status === 401 || status === 403) return notUsable(server, `may not use S3: ${fault}`, RIGHTS);
  if (said.includes("NoSuchBucketException") || [301, 307, 400, 405, 501].includes(status))
    return notUsable(server, `does not find S3: ${fault}`, ENDPOINT);
  // An object that is gone is for whoever knows which ones were there.
  if (status === 404) return undefined;
  return new PipelineError(
    "STORAGE_FAILED",
    `S3 failed ${server}: ${fault}; run again when it is back, or ${ENDPOINT}`,
  );
}

function notUsable(server: string, what: string, remedy: string): PipelineError {
  return new PipelineError("ENGINE_NOT_USABLE", `${server} ${what}; ${remedy}`);
}
