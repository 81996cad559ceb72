import { saidBy, messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";
import { EngineError } from "../builder.js";

/** An error that Spark gave of a statement. */
export class SparkError extends EngineError {
  override readonly name = "SparkError";
  readonly isFatal = false;

  constructor(
    message: string,
    /** As the SQL standard numbers them, `42703`; undefined where Spark gives none. */
    readonly sqlState: string | undefined,
    /** As Spark names it: `UNRESOLVED_COLUMN.WITHOUT_SUGGESTION`; undefined if it has no name. */
    readonly condition: string | undefined,
    /** The line of the statement that it is about, where Spark tells it. */
    readonly line: number | undefined,
  ) {
    super(message);
  }
}

/** How messages name a server, without user and password. */
export function nameOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `Spark at ${host}:${port}`;
}

/** What the server says of a statement that has failed, as a typed error. */
export function statementError(
  server: string,
  said: string | null | undefined,
  sqlState: string | null | undefined,
): Error {
  const ofS3 = s3aFault(server, said ?? "");
  if (ofS3 !== undefined) return ofS3;
  const text = withoutJava(said ?? "");
  const [message = ""] = text.split("\n", 1);
  // What ends the cluster, or the server's hold on it, is not a fault of the statement.
  if (
    /SparkContext (was|has been) (shut ?down|stopped)|stopped SparkContext|Invalid (Session|Operation)Handle/.test(
      text,
    )
  ) {
    return unavailable(server, `lost its session or its cluster: ${message}`, undefined);
  }
  const [, condition] = /^\[([A-Z0-9_.]+)\]/.exec(message) ?? [];
  const [, line] = /\bline ([0-9]+)(?:,| pos)/.exec(text) ?? [];
  return new SparkError(
    message.replace(/;$/, "") || "failed without a message",
    sqlState ?? undefined,
    condition,
    line === undefined ? undefined : Number(line),
  );
}

/** What went wrong with a call, by what hive-driver threw, or what has cut the connection. */
export function answerError(server: string, error: unknown): Error {
  if (error instanceof PipelineError) return error;
  if (isStatus(error)) return statementError(server, error.message, undefined);
  return unavailable(server, `was lost: ${saidBy(error)}`, error);
}

/** Why no session could be had, in the words of the person who runs the pipeline. */
export function connectError(server: string, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  const said = saidBy(error);
  if (isRefusal(error)) {
    return new PipelineError(
      "ENGINE_NOT_USABLE",
      `${server} refuses the user or the password: ${said}; correct them in ENGINE`,
      { cause: error },
    );
  }
  if (TLS.test(systemCodeOf(error) ?? "")) {
    return new PipelineError(
      "ENGINE_NOT_USABLE",
      `${server} is not trusted or does not support TLS: ${said}; check tls in ENGINE, and ENGINE_CA_BUNDLE`,
      { cause: error },
    );
  }
  return unavailable(server, `is not reachable: ${said}`, error);
}

function unavailable(server: string, what: string, cause: unknown): PipelineError {
  return new PipelineError("ENGINE_UNAVAILABLE", `${server} ${what}; run again, or check ENGINE`, { cause });
}

/** The answer of a server that refuses a call, which hive-driver throws as no error. */
function isStatus(thrown: unknown): thrown is { readonly name: string; readonly message: string } {
  return typeof thrown === "object" && thrown !== null && "name" in thrown && thrown.name === "Status Error";
}

const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|EPROTO)/;

/** Over TCP hive-driver says so of what a server answers to a wrong password; over HTTP there is a status. */
function isRefusal(error: unknown): boolean {
  const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : 0;
  return messageOf(error).startsWith("Authentication error: ") || status === 401 || status === 403;
}

/** What Spark says without the classes that it went through, and without their stack. */
function withoutJava(text: string): string {
  const [said = ""] = text.split(/\n\s*at (?=[\w.$/]+\()/, 1);
  return said
    .replace(/^org\.apache\.hive\.service\.cli\.HiveSQLException: /, "")
    .replace(/^Error running query: /, "")
    .replace(/^(?:\[[A-Z0-9_.]+\] )?(?:\w+\.)+\w+(?:Exception|Error): ?\s*/, "")
    .trim();
}

/** How Hadoop's client for S3 tells what S3, or the way there, has said: what was to be done, where, and what came of it. */
const FAULT = /(\w+) on (s3a:\/\/[^\s:']+)[^\n]*?: software\.amazon\.awssdk\.[\w.]+: ([^\n]*)/;

const STATUS = /\(Service: \w+, Status Code: ([0-9]{3})/;

const RIGHTS = "allow its keys to list, read, write and delete there (fs.s3a.access.key)";
const ENDPOINT = "check its fs.s3a.endpoint";
const CLIENT =
  "add hadoop-aws (in its Hadoop version) and the AWS SDK to the class path of driver and executors";

/**
 * A fault that a cluster has met on the way to S3, or with its client for it; undefined if it is another.
 * @param said all that Spark says, with the causes.
 */
function s3aFault(server: string, said: string): PipelineError | undefined {
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
    `S3 failed ${server}: ${fault}; run again later, or ${ENDPOINT}`,
  );
}

function notUsable(server: string, what: string, remedy: string): PipelineError {
  return new PipelineError("ENGINE_NOT_USABLE", `${server} ${what}; ${remedy}`);
}
