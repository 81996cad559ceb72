import { saidBy, messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";
import type { SparkAddress } from "../../settings/spark-address.js";
import { EngineError } from "../builder.js";

/** An error of Spark about a statement. */
export class SparkError extends EngineError {
  override readonly name = "SparkError";
  readonly isFatal = false;

  constructor(
    message: string,
    /** The number of the SQL standard, for example `42703`; undefined if Spark gives none. */
    readonly sqlState: string | undefined,
    /** Spark's name of it: `UNRESOLVED_COLUMN.WITHOUT_SUGGESTION`; undefined if it has no name. */
    readonly condition: string | undefined,
    /** The line of the statement, if Spark gives it. */
    readonly line: number | undefined,
  ) {
    super(message);
  }
}

/** The name of a server in messages, without user and password. */
export function nameOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `Spark at ${host}:${port}`;
}

/** The server's response about a failed statement, as a typed error. */
export function statementError(
  server: string,
  said: string | null | undefined,
  sqlState: string | null | undefined,
): Error {
  const ofS3 = s3aFault(server, said ?? "");
  if (ofS3 !== undefined) return ofS3;
  const text = withoutJava(said ?? "");
  const [message = ""] = text.split("\n", 1);
  // An end of the cluster, or of the server's access to it, is not a fault of the statement.
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

/** The fault of a call, from an error of hive-driver, or from the reason why the connection was cut. */
export function answerError(server: string, error: unknown): Error {
  if (error instanceof PipelineError) return error;
  if (isStatus(error)) return statementError(server, error.message, undefined);
  return unavailable(server, `was lost: ${saidBy(error)}`, error);
}

/** The reason why no session opened, for the person who runs the pipeline. */
export function connectError(
  settings: Pick<SparkAddress, "host" | "port" | "kerberos">,
  error: unknown,
): PipelineError {
  if (error instanceof PipelineError) return error;
  const server = nameOf(settings);
  const said = saidBy(error);
  if (isRefusal(error)) {
    const what = refusal(said, settings.kerberos !== undefined);
    return new PipelineError("ENGINE_NOT_USABLE", `${server} ${what}`, { cause: error });
  }
  if (TLS.test(systemCodeOf(error) ?? "")) {
    return new PipelineError(
      "ENGINE_NOT_USABLE",
      `${server} is not trusted or does not support TLS: ${said}; check tls in ENGINE, and ENGINE_CA_BUNDLE`,
      { cause: error },
    );
  }
  return new PipelineError(
    "ENGINE_UNAVAILABLE",
    `${server} is not reachable: ${said}; run again, or check host, port, tls and transport in ENGINE`,
    { cause: error },
  );
}

function refusal(said: string, isKerberos: boolean): string {
  if (said.includes("Unsupported mechanism type PLAIN"))
    return "requires Kerberos; add auth=kerberos to ENGINE, as in spark://host:10000?auth=kerberos";
  if (said.includes("Unsupported mechanism type GSSAPI"))
    return "does not use Kerberos; remove auth=kerberos from ENGINE";
  return isKerberos
    ? `refuses the ticket of Kerberos: ${said}; check principal in ENGINE, and the user of kinit`
    : `refuses the user or the password: ${said}; correct them in ENGINE`;
}

function unavailable(server: string, what: string, cause: unknown): PipelineError {
  return new PipelineError("ENGINE_UNAVAILABLE", `${server} ${what}; run again, or check ENGINE`, { cause });
}

/** The response of a server that refuses a call. hive-driver throws it, but not as an Error. */
function isStatus(thrown: unknown): thrown is { readonly name: string; readonly message: string } {
  return typeof thrown === "object" && thrown !== null && "name" in thrown && thrown.name === "Status Error";
}

const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|EPROTO)/;

/** Over TCP hive-driver reports the server's response to a wrong password in this way; over HTTP there is a status. */
function isRefusal(error: unknown): boolean {
  const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : 0;
  return messageOf(error).startsWith("Authentication error: ") || status === 401 || status === 403;
}

/** Spark's message without the Java classes and their stack. */
function withoutJava(text: string): string {
  const [said = ""] = text.split(/\n\s*at (?=[\w.$/]+\()/, 1);
  return said
    .replace(/^org\.apache\.hive\.service\.cli\.HiveSQLException: /, "")
    .replace(/^Error running query: /, "")
    .replace(/^(?:\[[A-Z0-9_.]+\] )?(?:\w+\.)+\w+(?:Exception|Error): ?\s*/, "")
    .trim();
}

/**
 * The form in which Hadoop's S3 client reports an error of S3 or of the network: the operation, the address, and the
 * result.
 */
const FAULT = /(\w+) on (s3a:\/\/[^\s:']+)[^\n]*?: software\.amazon\.awssdk\.[\w.]+: ([^\n]*)/;

const STATUS = /\(Service: \w+, Status Code: ([0-9]{3})/;

const RIGHTS = "allow its keys to list, read, write and delete there (fs.s3a.access.key)";
const ENDPOINT = "check its fs.s3a.endpoint";
const CLIENT =
  "add hadoop-aws (in its Hadoop version) and the AWS SDK to the class path of driver and executors";

/**
 * A fault of a cluster on the way to S3, or of its S3 client; undefined for any other.
 * @param said the whole message of Spark, with the causes.
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
  // A caller that knows the expected objects explains a missing one.
  if (status === 404) return undefined;
  return new PipelineError(
    "STORAGE_FAILED",
    `S3 failed ${server}: ${fault}; run again later, or ${ENDPOINT}`,
  );
}

function notUsable(server: string, what: string, remedy: string): PipelineError {
  return new PipelineError("ENGINE_NOT_USABLE", `${server} ${what}; ${remedy}`);
}
