import { PipelineError } from "./errors.js";

/** A fault of S3, from whichever client has met it. */
export interface S3Fault {
  /** What was to be done there: `the zone s3://data/curated (CURATED_ZONE)`. */
  readonly place: string;
  /** The code that S3 gave (`AccessDenied`), or the system's (`ECONNREFUSED`); undefined if nothing is known. */
  readonly code: string | undefined;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  readonly message: string;
  readonly cause: unknown;
}

const KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or role";
const REGION = "set AWS_REGION to the region of the bucket";
const ENDPOINT = "check AWS_ENDPOINT_URL_S3";

/** What a retry does not fix, with what does. Services of other makers have some codes of their own. */
const REMEDIES: Record<string, string> = {
  NoSuchBucket: "create the bucket, or correct the setting",
  InvalidBucketName: "correct the setting",
  AccessDenied: "allow its keys to list, read, write and delete there. A raw zone needs only list and read",
  AllAccessDisabled: "ask the operator of the storage",
  InvalidAccessKeyId: KEYS,
  SignatureDoesNotMatch: KEYS,
  CredentialsProviderError: KEYS,
  InvalidToken: "check AWS_SESSION_TOKEN",
  InvalidTokenId: "check AWS_SESSION_TOKEN",
  ExpiredToken: "get new keys with a new AWS_SESSION_TOKEN",
  InvalidObjectState: "restore the object from its archive, or move it out of the zone",
  RequestTimeTooSkewed: "set the clock of this machine",
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
};

const FULL = ["XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"];
/** Codes of a TLS handshake that failed, as Node names them. */
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|EPROTO)/;

/** Turns a fault of S3 into one that says what to do. */
export function s3Error({ place, code, status, message, cause }: S3Fault): PipelineError {
  const said = code === undefined || message.includes(code) ? message : `${code}: ${message}`;
  if (FULL.includes(code ?? "")) {
    return new PipelineError("STORAGE_FULL", `${place} is full: ${said}; free some space and run again`, {
      cause,
    });
  }
  const remedy = remedyOf(code, status);
  return remedy === undefined
    ? new PipelineError("STORAGE_FAILED", `${place} failed: ${said}; run again later, or ${ENDPOINT}`, {
        cause,
      })
    : new PipelineError("ZONE_NOT_USABLE", `${place} cannot be used: ${said}; ${remedy}`, { cause });
}

/** What to do about a fault that a retry does not fix. */
function remedyOf(code: string | undefined, status: number | undefined): string | undefined {
  if (code !== undefined && Object.hasOwn(REMEDIES, code)) return REMEDIES[code];
  if (TLS.test(code ?? ""))
    return `${ENDPOINT}, and set AWS_CA_BUNDLE if a private authority signed the certificate`;
  if (status === 301 || status === 307) return REGION;
  if (status === 413)
    return "a proxy in front of S3 refuses requests of this size. Raise its limit to at least 16 MB (client_max_body_size in nginx)";
  if (status === 401 || status === 403) return REMEDIES["AccessDenied"];
  // Something answers, and it is no S3, or one that does not know what it is asked.
  if (status === 400 || status === 405 || status === 501) return ENDPOINT;
  return undefined;
}
