import { PipelineError } from "./errors.js";

/** A fault of S3, from any client. */
export interface S3Fault {
  /** The address: `the zone s3://data/curated (CURATED_ZONE)`. */
  readonly place: string;
  /** The code of S3 (`AccessDenied`), or of the system (`ECONNREFUSED`); undefined if it is unknown. */
  readonly code: string | undefined;
  /** The HTTP status, if there was a response. */
  readonly status: number | undefined;
  readonly message: string;
  readonly cause: unknown;
}

const KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or role";
const REGION = "set AWS_REGION to the region of the bucket";
const ENDPOINT = "check AWS_ENDPOINT_URL_S3";

/** Faults that a retry does not fix, with their remedies. Other services have additional codes. */
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
/** Node's codes of a failed TLS handshake. */
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|EPROTO)/;

/** Turns a fault of S3 into one with a remedy. */
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

/** The remedy for a fault that a retry does not fix. */
function remedyOf(code: string | undefined, status: number | undefined): string | undefined {
  if (code !== undefined && Object.hasOwn(REMEDIES, code)) return REMEDIES[code];
  if (TLS.test(code ?? ""))
    return `${ENDPOINT}, and set AWS_CA_BUNDLE if a private authority signed the certificate`;
  if (status === 301 || status === 307) return REGION;
  if (status === 413)
    return "a proxy in front of S3 refuses requests of this size. Raise its limit to at least 16 MB (client_max_body_size in nginx)";
  if (status === 401 || status === 403) return REMEDIES["AccessDenied"];
  // The server responds, but it is not S3, or it does not know the call.
  if (status === 400 || status === 405 || status === 501) return ENDPOINT;
  return undefined;
}
