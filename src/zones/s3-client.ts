import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { BlockList, isIP } from "node:net";
import tls from "node:tls";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { messageOf, PipelineError } from "../base/errors.js";
import type { S3Credentials, S3UrlStyle } from "../base/s3-access.js";
import { ENDPOINT_RULE, isEndpoint, type S3Settings } from "../settings/settings.js";

const CONNECT_MILLISECONDS = 5_000;
/** A service that says nothing for longer is taken for dead. No copy of a part takes it as long, see s3-objects.ts. */
const SILENCE_MILLISECONDS = 20_000;

/** How long, from the moment at which the work is cancelled, requests that are under way then may continue. */
const UNDER_WAY_MILLISECONDS = 2_000;
/** And those that undo what the work has done. */
const AFTERWARDS_MILLISECONDS = 4_000;

/** Any name of a region will do where the service is not AWS; this is what all of them take. */
const REGION_OF_ENDPOINTS = "us-east-1";

/** A client for all zones of a run, and what it has found out of the settings and the machine. */
export interface S3Connection {
  readonly client: S3Client;
  /** As the client has it; undefined for the usual host of AWS in the region. */
  readonly endpoint: string | undefined;
  readonly urlStyle: S3UrlStyle;
  readonly region: string;
  /** The certificate authorities to trust, as PEM. */
  readonly authorities: string;
  credentials(): Promise<S3Credentials>;
  /** By how many milliseconds the service's clock is ahead, by its answers so far; 0 where it is less than four minutes. */
  clockOffset(): number;
}

/**
 * Makes a client. What the settings leave open is found as the AWS SDK finds it: profiles, roles, metadata services.
 * @param signal cancels the work that the client is for.
 * @throws PipelineError INVALID_SETTINGS if there is no region, the CA bundle or the profile cannot be used, or a proxy is named
 * for the endpoint.
 */
export async function connectS3(settings: S3Settings, signal?: AbortSignal): Promise<S3Connection> {
  // A region that a profile names for another endpoint says nothing of this one.
  const found = settings.endpoint === undefined ? await foundBySdk() : {};
  const configured = settings.endpoint ?? found.endpoint;
  const region =
    settings.region ?? found.region ?? (configured === undefined ? undefined : REGION_OF_ENDPOINTS);
  if (region === undefined) {
    throw new PipelineError("INVALID_SETTINGS", "the zones are on S3, but no region is set. Set AWS_REGION");
  }
  // AWS is leaving the path style; other services seldom have a host name for each bucket.
  const urlStyle = settings.urlStyle ?? (configured === undefined ? "vhost" : "path");
  const authorities = await trustedAuthorities(settings.caBundle);
  const client = new S3Client({
    retryStrategy,
    forcePathStyle: urlStyle === "path",
    ...(configured === undefined ? {} : { endpoint: configured }),
    region,
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    // Not every service knows the newer checksums, and TLS and ETags already guard what is sent.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: CONNECT_MILLISECONDS,
      socketTimeout: SILENCE_MILLISECONDS,
      ...(settings.caBundle === undefined ? {} : { httpsAgent: { ca: authorities } }),
    },
  });
  if (signal !== undefined) endRequestsAfterAbort(client, signal);
  const address = await addressOf(client, region, configured);
  assertNoProxy(address, settings.proxies);
  const credentials = () => client.config.credentials();
  return {
    client,
    endpoint: address.host === `s3.${region}.amazonaws.com` ? undefined : address.origin,
    urlStyle,
    region,
    authorities: authorities.join("\n"),
    credentials,
    clockOffset: () => client.config.systemClockOffset,
  };
}

/** Ends requests that continue for too long once the work is cancelled, so that a silent service does not hold it up. */
function endRequestsAfterAbort({ config }: S3Client, signal: AbortSignal): void {
  const { requestHandler } = config;
  const handle = requestHandler.handle.bind(requestHandler);
  const underWay = abortedLater(signal, UNDER_WAY_MILLISECONDS);
  const afterwards = abortedLater(signal, AFTERWARDS_MILLISECONDS);
  requestHandler.handle = (request, options) => {
    const { abortSignal: given } = options as { abortSignal?: AbortSignal };
    const late = signal.aborted ? afterwards : underWay;
    return handle(request, { ...options, abortSignal: AbortSignal.any([late, ...(given ? [given] : [])]) });
  };
}

function abortedLater(signal: AbortSignal, milliseconds: number): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const abort = () => {
    controller.abort("no answer after the work was cancelled");
  };
  signal.addEventListener("abort", () => setTimeout(abort, milliseconds).unref(), { once: true });
  return controller.signal;
}

/** What a bucket must be called to stand in a host name, by the rules of AWS. */
const NAME_IN_HOST = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Makes sure that buckets can be reached as the connection names them.
 * @param locations `s3://bucket/prefix`.
 * @throws PipelineError INVALID_SETTINGS that names the first that cannot.
 */
export function assertBucketNames({ urlStyle }: S3Connection, locations: readonly string[]): void {
  if (urlStyle === "path") return;
  const buckets = locations.map((location) => location.split("/")[2] ?? "");
  const bucket = buckets.find((name) => !NAME_IN_HOST.test(name));
  if (bucket === undefined) return;
  throw new PipelineError(
    "INVALID_SETTINGS",
    `the bucket name ${bucket} is not a valid host name (3 to 63 lower case letters, digits, dots and hyphens); set S3_URL_STYLE=path`,
  );
}

/**
 * The endpoint and the region that the SDK finds, above all in a profile. It would use that endpoint without a word, and DuckDB
 * would not.
 * @throws PipelineError INVALID_SETTINGS if the profile cannot be used.
 */
async function foundBySdk(): Promise<{ endpoint?: string | undefined; region?: string | undefined }> {
  const { config } = new S3Client({});
  const endpoint = await asked(
    async () => config.serviceConfiguredEndpoint?.(),
    "cannot use the AWS profile",
  );
  if (endpoint !== undefined && !isEndpoint(endpoint))
    throw new PipelineError("INVALID_SETTINGS", `endpoint_url of the AWS profile ${ENDPOINT_RULE}`);
  const region = await config.region().catch(() => undefined);
  return { endpoint: endpoint?.replace(/\/$/, ""), region };
}

/** Where requests go: settings of the SDK, as for FIPS and IPv6, change the host. */
async function addressOf({ config }: S3Client, region: string, endpoint: string | undefined): Promise<URL> {
  return asked(
    async () =>
      config.endpointProvider({
        Region: region,
        UseFIPS: await config.useFipsEndpoint(),
        UseDualStack: await config.useDualstackEndpoint(),
        ...(endpoint === undefined ? {} : { Endpoint: endpoint }),
      }).url,
    "the AWS settings have no endpoint",
  );
}

async function asked<Result>(ask: () => Promise<Result>, what: string): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    throw new PipelineError("INVALID_SETTINGS", `${what}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * DuckDB takes proxies from the environment, and the SDK does not: one part of a run would reach another server than the other.
 * @throws PipelineError INVALID_SETTINGS if a proxy is named for the address.
 */
function assertNoProxy({ protocol, hostname, origin }: URL, proxies: S3Settings["proxies"]): void {
  const scheme =
    protocol === "https:"
      ? (["HTTPS_PROXY", "https_proxy"] as const)
      : (["HTTP_PROXY", "http_proxy"] as const);
  const variable = [...scheme, "ALL_PROXY" as const, "all_proxy" as const].find(
    (name) => proxies[name] !== undefined,
  );
  const host = hostname.replace(/^\[|\]$/g, "");
  if (variable === undefined || isExempt(host, proxies.no_proxy ?? proxies.NO_PROXY ?? "")) return;
  throw new PipelineError(
    "INVALID_SETTINGS",
    `${variable} sets a proxy for S3 at ${origin}, but the pipeline connects to S3 without a proxy; add ${host} to NO_PROXY, or unset ${variable}`,
  );
}

/** Whether NO_PROXY has a host, as curl reads it, which DuckDB asks with. */
function isExempt(host: string, list: string): boolean {
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return list.trim() === "*";
      if (isIP(host) !== 0) return isInNetwork(host, entry.replace(/^\[|\]$/g, ""));
      const name = entry.toLowerCase().replace(/^\.|\.$/g, "");
      return host === name || host.endsWith(`.${name}`);
    });
}

function isInNetwork(address: string, entry: string): boolean {
  const [network = "", bits] = entry.split("/");
  if (isIP(network) !== isIP(address)) return false;
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  const length = bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits);
  if (!Number.isInteger(length) || length < 0 || length > (family === "ipv6" ? 128 : 32)) return false;
  const networks = new BlockList();
  networks.addSubnet(network, length, family);
  return networks.check(address, family);
}

/** Those that Node brings, which need none to be installed on the machine, and those of a bundle. */
async function trustedAuthorities(caBundle: string | undefined): Promise<string[]> {
  if (caBundle === undefined) return [...tls.rootCertificates];
  try {
    return [...tls.rootCertificates, await readFile(caBundle, "utf8")];
  } catch (error) {
    throw new PipelineError("INVALID_SETTINGS", `cannot read AWS_CA_BUNDLE: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** How long to wait before trying again, in turn: a service that restarts is back within seconds. */
const DELAYS_MILLISECONDS = [200, 400, 800, 1_600, 3_200];
/** One that was silent for long may stay so: after this long no other try is begun. */
const PATIENCE_MILLISECONDS = 30_000;

/** A call, by how often and since when it was tried again. */
interface Tries {
  readonly count: number;
  readonly since: number;
  getRetryCount(): number;
  getRetryDelay(): number;
  getRetryCost(): undefined;
}

/** When a call to S3 that has failed is made again. */
export const retryStrategy = {
  acquireInitialRetryToken: () => Promise.resolve(tries(0, performance.now())),
  refreshRetryTokenForRetry: (token, { errorType, error }) => {
    const { count, since } = token as Tries;
    const isOver =
      errorType === "CLIENT_ERROR" ||
      isUnknownCall(error) ||
      count >= DELAYS_MILLISECONDS.length ||
      performance.now() - since > PATIENCE_MILLISECONDS;
    return isOver
      ? Promise.reject(new Error("the call is not made again"))
      : Promise.resolve(tries(count + 1, since));
  },
  recordSuccess: () => undefined,
} satisfies S3ClientConfig["retryStrategy"];

/** A server that does not know a call will not know it in a second either. */
function isUnknownCall(error: unknown): boolean {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode === 501;
}

function tries(count: number, since: number): Tries {
  return {
    count,
    since,
    getRetryCount: () => count,
    getRetryDelay: () => DELAYS_MILLISECONDS[count - 1] ?? 0,
    getRetryCost: () => undefined,
  };
}
