import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import os from "node:os";
import path from "node:path";
import { parseEnv } from "node:util";
import * as z from "zod";
import { messageOf, PipelineError } from "../base/errors.js";
import { projectFolder } from "../base/files.js";
import { isOnS3, type S3Credentials, type S3UrlStyle } from "../base/s3-access.js";
import { isPlainToSpark } from "../base/spark-paths.js";
import { parseTraceparent, type TraceContext } from "../base/trace-context.js";
import { readChangeLimit, type ChangeLimit } from "./change-limit.js";
import { isSparkUrl, readSparkUrl, type SparkAddress } from "./spark-address.js";

/** The log levels of pino, from everything to nothing. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Checked settings. They are the only source for every part of the program; nothing else reads the environment. */
export interface Settings {
  /** Each an absolute path, or `s3://bucket/prefix`. */
  readonly zones: { readonly raw: string; readonly curated: string; readonly provision: string };
  /** The place of run reports: an absolute path, or `s3://bucket/prefix`. */
  readonly runReports: string;
  /** The address for chat messages, which is a secret. Undefined: no messages. */
  readonly notifyUrl: string | undefined;
  /** The file for metrics of the runs, an absolute path; undefined: no metrics. */
  readonly metricsFile: string | undefined;
  readonly s3: S3Settings;
  readonly engine: EngineSettings;
  /** The address of the consumption database: `sqlite:<file>` or `mysql://user:password@host:port/database`. */
  readonly consumptionUrl: string;
  /** The folder with the versions of the SQL. */
  readonly sqlDirectory: string;
  readonly sqlVersion: string;
  /** The allowed share of rejected rows, a decimal number from 0 to 1. It stays text, so that it stays exact. */
  readonly maxRejectedShare: string;
  /**
   * The maximum number of answers that a run may change without --approve; undefined: no limit. --max-changed has
   * priority.
   */
  readonly maxChanged: ChangeLimit | undefined;
  /** Whether toss-ups do not count. */
  readonly ignoreTossUps: boolean;
  readonly host: string;
  readonly port: number;
  readonly api: ApiSettings;
  readonly duckdb: DuckDbSettings;
  readonly openLineage: OpenLineageSettings;
  readonly traces: TraceSettings;
  /** The log level for standard error, one of pino's levels. */
  readonly logLevel: LogLevel;
  /** The name of the profile; undefined if there is none. */
  readonly profile: string | undefined;
  /** The files with secrets, as absolute paths, by the settings that name them. */
  readonly secretFiles: Readonly<Record<string, string>>;
}

/** The settings for S3. The AWS SDK finds the missing ones in profiles, roles or metadata services. */
export interface S3Settings {
  /** `http://127.0.0.1:9000`; undefined for AWS, or if a profile names one. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** Undefined: by path if there is an endpoint. */
  readonly urlStyle: S3UrlStyle | undefined;
  /** The proxy variables that are set, by their names in the environment. */
  readonly proxies: Readonly<Partial<Record<ProxyVariable, string>>>;
  readonly credentials: S3Credentials | undefined;
  /** A PEM file of additional certificate authorities. */
  readonly caBundle: string | undefined;
}

/** `HTTP_PROXY` and the others, in upper or lower case. */
export type ProxyVariable = (typeof PROXY_VARIABLES)[number];

export interface ApiSettings {
  /** The interval at which the api checks for a newer publication, in seconds. */
  readonly refreshSeconds: number;
  /** How long the database may be silent until the api is not ready, in seconds. */
  readonly staleSeconds: number;
  /** The age in hours after which the pages call the newest publication old, counted from its execution date. */
  readonly oldAfterHours: number;
  /** How long current requests have to end after a signal, in seconds. */
  readonly shutdownSeconds: number;
  /** The origins whose pages may read answers, or `*` for all of them. Empty: no CORS headers. */
  readonly corsOrigins: readonly string[] | "*";
  /** The file with the keys of clients; undefined if no key is required. */
  readonly keysFile: string | undefined;
  readonly keysFor: KeyedPart;
  readonly trustProxy: TrustedProxies;
}

/**
 * The proxies whose `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix` count: their addresses and networks, or
 * their number.
 */
export type TrustedProxies = readonly string[] | number;

/** The part that requires a key, if there are keys: the routes of /v1, or everything except probes. */
export type KeyedPart = "v1" | "all";

/** The engine for models over raw and curated vouchers. */
export type EngineSettings = { readonly kind: "duckdb" } | SparkSettings;

export interface SparkSettings extends SparkAddress {
  readonly kind: "spark";
  /** A PEM file of additional certificate authorities. */
  readonly caBundle: string | undefined;
}

/** The prefixes of the session folders in `tempDirectory`. A folder is `new` until its lock is taken. */
export const TEMPORARY_FOLDERS = { new: "new-", owned: "session-" } as const;

export interface DuckDbSettings {
  /** In DuckDB's form, for example `4GB`; undefined for DuckDB's own choice. */
  readonly memoryLimit: string | undefined;
  readonly threads: number | undefined;
  /** The number of sessions of this process that share the memory. */
  readonly sessions: number;
  /** The folder for data that does not fit into memory. Each session creates its own folder in it (TEMPORARY_FOLDERS). */
  readonly tempDirectory: string;
  /** The folder with the httpfs extension, in DuckDB's layout. Undefined: it is installed once for the user. */
  readonly extensionDirectory: string | undefined;
  /** The source of extensions; undefined for DuckDB's own repository. */
  readonly extensionRepository: string | undefined;
}

/** The receivers of OpenLineage events; none if neither a service nor a file is set. */
export interface OpenLineageSettings {
  /** The address of the service, without `/` at its end. */
  readonly url: string | undefined;
  readonly apiKey: string | undefined;
  /** The namespace of the jobs. */
  readonly namespace: string;
  /** The file for events, one per line. */
  readonly file: string | undefined;
}

/** The receiver of spans, and the trace of a run. */
export interface TraceSettings {
  /**
   * The address of an OTLP receiver; undefined: no spans are exported. The SDK reads this and its other variables
   * itself.
   */
  readonly endpoint: string | undefined;
  /** The span of the process that started this one. */
  readonly parent: TraceContext | undefined;
}

const text = z.string().min(1, { error: "is empty", abort: true });
/** Old buckets of AWS, and buckets of some servers, have names that are not allowed for new buckets. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/;
/** A prefix without empty and dotted names means the same to every client. */
const PREFIX = /^((?!\.{1,2}(\/|$))[^/]+(\/(?!\.{1,2}(\/|$))[^/]+)*)?\/?$/;

const zone = text.superRefine((location, context) => {
  const fault = faultOfLocation(location);
  if (fault !== undefined) context.addIssue(`must be a folder or s3://bucket/prefix${fault}`);
});

/** The rule for an S3 endpoint. */
export const ENDPOINT_RULE = "must be http://host:port or https://host:port, without keys";

const endpoint = text.refine(isEndpoint, ENDPOINT_RULE);

const PERCENT_ENCODE =
  "has a reserved character in the user or password; percent-encode it: " +
  "@ is %40, / is %2F, # is %23, ? is %3F and % is %25, as encodeURIComponent in JavaScript writes them";

/** The SDKs of AWS and OpenTelemetry ignore an empty variable. */
const maybe = <Schema extends z.ZodType>(type: Schema) =>
  z.preprocess((value) => (value === "" ? undefined : value), type.optional());

const schema = z.object({
  RAW_ZONE: zone.default("data/raw"),
  CURATED_ZONE: zone.default("data/curated"),
  PROVISION_ZONE: zone.default("data/provision"),
  RUN_REPORTS: zone.default("data/runs"),
  NOTIFY_URL: text.refine(isHook, "must be http://… or https://…, without a user and a password").optional(),
  METRICS_FILE: text.regex(/\.prom$/, "must be a file whose name ends with .prom").optional(),
  ENGINE: text
    .transform((engine, context) => {
      if (engine === "duckdb") return { kind: "duckdb" } as const;
      const address = readSparkUrl(engine);
      if (typeof address !== "string") return { kind: "spark", ...address } as const;
      context.addIssue(address);
      return z.NEVER;
    })
    .default({ kind: "duckdb" }),
  ENGINE_CA_BUNDLE: text.optional(),
  CONSUMPTION_URL: text
    .refine(isPercentEncoded, { error: PERCENT_ENCODE, abort: true })
    .refine(isConsumptionUrl, "must be sqlite:<file> or mysql://user:password@host:port/database")
    .default("sqlite:data/consumption.db"),
  SQL_DIRECTORY: text.default(() => path.join(projectFolder(), "sql")),
  SQL_VERSION: text.regex(/^v[1-9][0-9]*$/, "must be a version such as v1").default("v1"),
  MAX_REJECTED_SHARE: text
    .regex(/^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$/, "must be a decimal number from 0 to 1, for example 0.5")
    .default("0.5"),
  MAX_CHANGED: text
    .transform((limit, context) => {
      const read = readChangeLimit(limit);
      if (read !== undefined) return read;
      context.addIssue({
        code: "custom",
        message: "must be a number of answers such as 5, or a share such as 10%",
      });
      return z.NEVER;
    })
    .optional(),
  IGNORE_TOSS_UPS: z.enum(["true", "false"]).default("false"),
  HOST: text.default("127.0.0.1"),
  PORT: text
    .regex(/^[0-9]{1,5}$/, "must be a port number")
    .transform(Number)
    .refine((port) => port <= 65_535, "must be a port number up to 65535")
    .default(8000),
  API_REFRESH_SECONDS: text
    .regex(/^[0-9]{1,5}(\.[0-9]{1,3})?$/, "must be a number of seconds such as 1 or 0.5")
    .transform(Number)
    .refine((seconds) => seconds >= 0.01 && seconds <= 3_600, "must be from 0.01 to 3600 seconds")
    .default(1),
  API_STALE_SECONDS: text
    .regex(/^[0-9]{1,6}$/, "must be a whole number of seconds")
    .transform(Number)
    .refine((seconds) => seconds >= 1, "must be at least 1 second")
    .default(300),
  API_OLD_AFTER_HOURS: text
    .regex(/^[0-9]{1,5}$/, "must be a whole number of hours, up to 99999")
    .transform(Number)
    .refine((hours) => hours >= 1, "must be at least 1 hour")
    .default(36),
  API_SHUTDOWN_SECONDS: text
    .regex(/^[0-9]{1,4}$/, "must be a whole number of seconds, up to 9999")
    .transform(Number)
    .default(10),
  API_CORS_ORIGINS: text
    .transform((list): readonly string[] | "*" =>
      list === "*" ? list : list.split(",").map((origin) => origin.trim()),
    )
    .refine(
      (origins) => origins === "*" || origins.every(isOrigin),
      "must be * or origins such as https://shop.example.org, separated by commas",
    )
    .default([]),
  API_KEYS_FILE: text.optional(),
  API_KEYS_FOR: z.enum(["v1", "all"], { error: "must be v1 or all" }).default("v1"),
  TRUST_PROXY: text
    .transform((value): TrustedProxies =>
      /^[0-9]$/.test(value) ? Number(value) : value.split(",").map((proxy) => proxy.trim()),
    )
    .refine(
      (proxies) => typeof proxies === "number" || proxies.every(isProxy),
      "must be the number of proxies in front, or their addresses and networks, such as 10.0.0.0/8 or loopback, separated by commas",
    )
    .default([]),
  DUCKDB_MEMORY_LIMIT: text
    .regex(/^[0-9]+(\.[0-9]+)? ?([KMGT]i?B)$/i, "must be a size such as 4GB or 512MiB")
    .optional(),
  DUCKDB_THREADS: text
    .regex(/^[1-9][0-9]{0,2}$/, "must be a whole number from 1 to 999")
    .transform(Number)
    .optional(),
  DUCKDB_TEMP_DIRECTORY: text.default(() => path.join(os.tmpdir(), "voucher-pipeline")),
  DUCKDB_EXTENSION_DIRECTORY: text.optional(),
  DUCKDB_EXTENSION_REPOSITORY: text.optional(),
  OPENLINEAGE_URL: text
    .refine(isAddress, "must be http://host or https://host, optionally with a path, without keys")
    .transform((url) => url.replace(/\/$/, ""))
    .optional(),
  OPENLINEAGE_API_KEY: text.optional(),
  OPENLINEAGE_NAMESPACE: text.default("voucher-pipeline"),
  OPENLINEAGE_FILE: text.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: maybe(
    text.refine(isAddress, "must be http://host:port or https://host:port, without keys in it"),
  ),
  TRACEPARENT: z.string().optional(),
  PIPELINE_PROFILE: maybe(text),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(", ")}` }).default("silent"),
});

const PROXY_VARIABLES = [
  "HTTP_PROXY",
  "http_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "ALL_PROXY",
  "all_proxy",
  "NO_PROXY",
  "no_proxy",
] as const;

/** The settings of S3 matter, and can be wrong, only if a zone or a report is there. */
const s3Schema = z
  .object({
    AWS_ENDPOINT_URL_S3: maybe(endpoint),
    AWS_ENDPOINT_URL: maybe(endpoint),
    AWS_REGION: maybe(text),
    AWS_ACCESS_KEY_ID: maybe(text),
    AWS_SECRET_ACCESS_KEY: maybe(text),
    AWS_SESSION_TOKEN: maybe(text),
    AWS_PROFILE: maybe(text),
    AWS_CA_BUNDLE: maybe(text),
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: maybe(z.enum(["true", "false"], { error: "must be true or false" })),
    S3_URL_STYLE: maybe(z.enum(["path", "vhost"], { error: "must be path or vhost" })),
  })
  .refine(
    ({ AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret }) =>
      (id === undefined) === (secret === undefined),
    {
      path: ["AWS_ACCESS_KEY_ID"],
      error: "and AWS_SECRET_ACCESS_KEY must be set together",
      // Also if another setting is invalid, so that the message lists all faults.
      when: () => true,
    },
  );

/** Settings that a file can contain instead: NAME_FILE names the file. Only the second group is about S3. */
const SECRETS = ["CONSUMPTION_URL", "ENGINE", "NOTIFY_URL", "OPENLINEAGE_API_KEY"] as const;
const S3_SECRETS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] as const;

/** The variables that users can set. Other variables belong to the system, or to proxies. */
export const SETTING_NAMES: readonly string[] = [
  ...Object.keys(schema.shape),
  ...Object.keys(s3Schema.shape),
  ...[...SECRETS, ...S3_SECRETS].map(fileVariable),
];

/**
 * Turns environment variables into checked settings. `.env.example` explains each one.
 * @throws PipelineError INVALID_SETTINGS that lists every fault at once.
 */
export function readSettings(given: NodeJS.ProcessEnv = environmentOfProcess()): Settings {
  const { RAW_ZONE = "", CURATED_ZONE = "", PROVISION_ZONE = "", RUN_REPORTS = "" } = given;
  const needsS3 = [RAW_ZONE, CURATED_ZONE, PROVISION_ZONE, RUN_REPORTS].some(isOnS3);
  const secrets = readSecretFiles(given, [...SECRETS, ...(needsS3 ? S3_SECRETS : [])]);
  const { environment } = secrets;
  const parsed = schema.safeParse(environment);
  const parsedS3 = s3Schema.safeParse(needsS3 ? environment : {});
  const zonesOfCluster = isSparkUrl(environment["ENGINE"] ?? "")
    ? { RAW_ZONE, CURATED_ZONE, PROVISION_ZONE }
    : {};
  const outOfReach = Object.entries(zonesOfCluster).filter(([, location]) => !isOnS3(location));
  // Runs write there. Raw files with such names are read by DuckDB.
  const notPlain = Object.entries(zonesOfCluster)
    .filter(([name, location]) => name !== "RAW_ZONE" && isOnS3(location) && !isPlainToSpark(location))
    .map(([name]) => name);
  const ofCluster = outOfReach.length + notPlain.length;
  if (!parsed.success || !parsedS3.success || ofCluster > 0 || secrets.faults.size > 0) {
    const issues = [parsed, parsedS3].flatMap(({ error }) => error?.issues ?? []);
    const faults = [
      ...secrets.faults.values(),
      ...issues.flatMap(({ path, message }) => {
        const name = path.join(".");
        if (secrets.faults.has(name)) return [];
        return `${name in secrets.files ? `${name} from ${fileVariable(name)}` : name} ${message}`;
      }),
      ...outOfReach.map(([name]) => `${name} must be s3://bucket/prefix if ENGINE names a Spark`),
      ...notPlain.map(
        (name) =>
          `${name} has characters that Spark takes for a pattern, such as { * or a comma; rename its folder`,
      ),
    ];
    throw new PipelineError("INVALID_SETTINGS", ["these settings are invalid:", ...faults].join("\n  "));
  }
  const value = parsed.data;
  return {
    zones: {
      raw: located(value.RAW_ZONE),
      curated: located(value.CURATED_ZONE),
      provision: located(value.PROVISION_ZONE),
    },
    runReports: located(value.RUN_REPORTS),
    notifyUrl: value.NOTIFY_URL,
    metricsFile: resolved(value.METRICS_FILE),
    s3: { ...s3Settings(parsedS3.data), proxies: needsS3 ? proxiesIn(environment) : {} },
    engine:
      value.ENGINE.kind === "duckdb"
        ? value.ENGINE
        : { ...value.ENGINE, caBundle: resolved(value.ENGINE_CA_BUNDLE) },
    consumptionUrl: value.CONSUMPTION_URL,
    sqlDirectory: path.resolve(value.SQL_DIRECTORY),
    sqlVersion: value.SQL_VERSION,
    maxRejectedShare: value.MAX_REJECTED_SHARE,
    maxChanged: value.MAX_CHANGED,
    ignoreTossUps: value.IGNORE_TOSS_UPS === "true",
    host: value.HOST,
    port: value.PORT,
    api: {
      refreshSeconds: value.API_REFRESH_SECONDS,
      staleSeconds: value.API_STALE_SECONDS,
      oldAfterHours: value.API_OLD_AFTER_HOURS,
      shutdownSeconds: value.API_SHUTDOWN_SECONDS,
      corsOrigins: value.API_CORS_ORIGINS,
      keysFile: resolved(value.API_KEYS_FILE),
      keysFor: value.API_KEYS_FOR,
      trustProxy: value.TRUST_PROXY,
    },
    duckdb: {
      memoryLimit: value.DUCKDB_MEMORY_LIMIT,
      threads: value.DUCKDB_THREADS,
      sessions: 1,
      tempDirectory: path.resolve(value.DUCKDB_TEMP_DIRECTORY),
      extensionDirectory: resolved(value.DUCKDB_EXTENSION_DIRECTORY),
      extensionRepository: value.DUCKDB_EXTENSION_REPOSITORY,
    },
    openLineage: {
      url: value.OPENLINEAGE_URL,
      apiKey: value.OPENLINEAGE_API_KEY,
      namespace: value.OPENLINEAGE_NAMESPACE,
      file: resolved(value.OPENLINEAGE_FILE),
    },
    traces: {
      endpoint: value.OTEL_EXPORTER_OTLP_ENDPOINT,
      parent: parseTraceparent(value.TRACEPARENT),
    },
    logLevel: value.LOG_LEVEL,
    profile: value.PIPELINE_PROFILE,
    secretFiles: Object.fromEntries(
      Object.entries(secrets.files).map(([name, file]) => [fileVariable(name), path.resolve(file)]),
    ),
  };
}

function fileVariable(name: string): string {
  return `${name}_FILE`;
}

interface Secrets {
  readonly environment: NodeJS.ProcessEnv;
  /** The secret files, by the setting that they contain. */
  readonly files: Readonly<Record<string, string>>;
  /** The faults, by the setting without a value. */
  readonly faults: ReadonlyMap<string, string>;
}

/** Reads each setting NAME from the file NAME_FILE, if that is set. */
function readSecretFiles(given: NodeJS.ProcessEnv, names: readonly string[]): Secrets {
  const environment = { ...given };
  const files: Record<string, string> = {};
  const faults = new Map<string, string>();
  for (const name of names) {
    const variable = fileVariable(name);
    const file = given[variable];
    if (file === undefined) continue;
    // An image sets some of them. An empty one means that the file is used.
    if ((given[name] ?? "") !== "") {
      faults.set(name, `${name} and ${variable} are both set: set only one of them`);
      continue;
    }
    const secret = contentOf(file);
    if (typeof secret === "string") {
      environment[name] = secret;
      files[name] = file;
    } else {
      // Otherwise a pair with one missing value would be a second fault, which is wrong.
      environment[name] = "not read";
      faults.set(name, `${variable} ${secret.fault}`);
    }
  }
  return { environment, files, faults };
}

/** The secret in a file, without its last line end. A fault does not show the path: it may be the secret itself. */
function contentOf(file: string): string | { readonly fault: string } {
  if (file === "") return { fault: "is empty: it must be the path of a file" };
  try {
    const secret = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    return secret === "" ? { fault: "names a file that is empty" } : secret;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return { fault: `names a file that cannot be read (${code})` };
  }
}

/**
 * The log level of a command, before any other setting is read; undefined if it is invalid, which `readSettings`
 * reports.
 */
export function readLogLevel(environment: NodeJS.ProcessEnv = environmentOfProcess()): LogLevel {
  return schema.shape.LOG_LEVEL.catch("silent").parse(environment["LOG_LEVEL"]);
}

function s3Settings(value: z.infer<typeof s3Schema>): Omit<S3Settings, "proxies"> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = value;
  const { AWS_SESSION_TOKEN: sessionToken } = value;
  const ignored = value.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true";
  const address = ignored ? undefined : (value.AWS_ENDPOINT_URL_S3 ?? value.AWS_ENDPOINT_URL);
  return {
    endpoint: address?.replace(/\/$/, ""),
    region: value.AWS_REGION,
    urlStyle: value.S3_URL_STYLE,
    // Like in the AWS SDK, a profile has priority over keys.
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined || value.AWS_PROFILE !== undefined
        ? undefined
        : { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    caBundle: resolved(value.AWS_CA_BUNDLE),
  };
}

function proxiesIn(environment: NodeJS.ProcessEnv): S3Settings["proxies"] {
  return Object.fromEntries(
    PROXY_VARIABLES.flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

/** The fault of a zone's address, as the end of a sentence; undefined if it is valid. */
function faultOfLocation(location: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) return undefined;
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/.exec(location) ?? [];
  if (bucket === undefined) return "";
  // The name is not shown: somebody may have written keys instead of a bucket.
  if (!BUCKET.test(bucket))
    return ": a bucket name has 3 to 255 letters, digits, dots, hyphens and underscores, and begins with a letter or digit";
  return PREFIX.test(prefix) ? undefined : ": the prefix must not contain an empty name, . or ..";
}

function located(zone: string): string {
  return isOnS3(zone) ? zone.replace(/\/$/, "") : path.resolve(zone);
}

function resolved(file: string | undefined): string | undefined {
  return file === undefined ? undefined : path.resolve(file);
}

/** Whether a text is an S3 endpoint, without a path. */
export function isEndpoint(text: string): boolean {
  return isAddress(text) && new URL(text).pathname === "/";
}

function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === "");
}

/**
 * A webhook address. Any part of it may be the secret. A user or password is not allowed, because these would be sent
 * separately.
 */
export function isHook(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

/** The form of a browser: a text that differs by a slash or a capital letter would never match. */
function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

const NAMED_NETWORKS = ["loopback", "linklocal", "uniquelocal"];

/** Whether a text is an address, a network such as 10.0.0.0/8, or a network that has a name. */
function isProxy(text: string): boolean {
  if (NAMED_NETWORKS.includes(text)) return true;
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^[1-9][0-9]{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/**
 * Whether a server's URL can be parsed in only one way. Otherwise a part of the password could be read as the host,
 * the database or an option, and be shown and looked up.
 */
function isPercentEncoded(url: string): boolean {
  return !/^mysql:\/\//i.test(url) || /^mysql:\/\/([^@/?#\s]*@)?[^@#\s]*$/i.test(url);
}

function isConsumptionUrl(text: string): boolean {
  if (/^sqlite:(?!:memory:|[a-z]+:\/\/)./i.test(text)) return true;
  if (!text.startsWith("mysql://") || !URL.canParse(text)) return false;
  const { hostname, username, pathname } = new URL(text);
  return hostname !== "" && username !== "" && /^\/[^/]+$/.test(pathname);
}

/** The environment for a child process: that of this process with some changes; undefined removes a variable. */
export function childEnvironment(changes: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return { ...process.env, ...changes };
}

/** The variable that names the profile. `--profile` sets it, also for children of this process. */
const PROFILE = "PIPELINE_PROFILE";

/**
 * Chooses the profile of this process, for example `dev`: the file `.env.dev` wins over the file `.env`.
 * @throws PipelineError INVALID_USAGE for an empty name: the variable of a script may not be set.
 */
export function chooseProfile(profile: string): void {
  if (profile === "") throw new PipelineError("INVALID_USAGE", "--profile needs the name of a profile");
  process.env[PROFILE] = profile;
}

/**
 * The settings of another profile. The file of that profile also wins over the environment of this process, which belongs to the present profile.
 * @throws PipelineError INVALID_SETTINGS that names the profile.
 */
export function readSettingsOfProfile(profile: string): Settings {
  const environment: NodeJS.ProcessEnv = { [PROFILE]: profile };
  try {
    addFile(environment, profileFile(profile));
    // Without it, the database would be that of this process.
    if (environment["CONSUMPTION_URL"] === undefined && environment["CONSUMPTION_URL_FILE"] === undefined)
      throw new PipelineError("INVALID_SETTINGS", `.env.${profile} must set CONSUMPTION_URL`);
    addMissing(environment, environmentBeforeFiles());
    if (existsSync(".env")) addFile(environment, ".env");
    return readSettings(environment);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    throw new PipelineError(error.code, `profile ${profile}: ${error.message}`, { cause: error });
  }
}

/** The environment of the process, before files added to it. */
let given: NodeJS.ProcessEnv | undefined;

function environmentBeforeFiles(): NodeJS.ProcessEnv {
  return (given ??= { ...process.env });
}

/** The process's environment, together with the file of its profile and a file `.env` in the working directory. */
function environmentOfProcess(): NodeJS.ProcessEnv {
  environmentBeforeFiles();
  // The versions of the AWS SDK are pinned, so its warning that later ones need a newer Node does not matter here.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const profile = process.env[PROFILE] ?? "";
  if (profile !== "") addFile(process.env, profileFile(profile));
  if (existsSync(".env")) addFile(process.env, ".env");
  return process.env;
}

/** @throws PipelineError INVALID_SETTINGS if the profile has no file. */
function profileFile(profile: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(profile))
    throw new PipelineError(
      "INVALID_SETTINGS",
      "the name of a profile must have only letters, digits, _ and -, for example dev",
    );
  const file = `.env.${profile}`;
  if (existsSync(file)) return file;
  throw new PipelineError(
    "INVALID_SETTINGS",
    `the profile ${profile} has no file ${path.resolve(file)}. Create it with the settings that differ from .env`,
  );
}

function addFile(environment: NodeJS.ProcessEnv, file: string): void {
  try {
    const text = readFileSync(file, "utf8");
    const added = addMissing(environment, parseEnv(text));
    // Without quotes a # begins a comment there, and the rest of the URL can be one of another host.
    if (
      added.includes("CONSUMPTION_URL") &&
      /^\s*(export\s+)?CONSUMPTION_URL\s*=\s*mysql:\/\/\S*#/im.test(text)
    )
      throw new Error(`CONSUMPTION_URL ${PERCENT_ENCODE}`);
  } catch (error) {
    throw new PipelineError("INVALID_SETTINGS", `cannot read the file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Adds the variables that are not set yet, neither themselves nor as the file of a secret. @returns their names. */
function addMissing(environment: NodeJS.ProcessEnv, values: Readonly<NodeJS.Dict<string>>): string[] {
  const isSet = (name: string) => environment[name] !== undefined;
  const missing = Object.entries(values).filter(
    ([name]) => !isSet(name) && !isSet(fileVariable(name)) && !isSet(name.replace(/_FILE$/, "")),
  );
  Object.assign(environment, Object.fromEntries(missing));
  return missing.map(([name]) => name);
}
