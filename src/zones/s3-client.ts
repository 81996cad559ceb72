import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { BlockList, isIP } from "node:net";
import tls from "node:tls";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { messageOf, PipelineError } from "../base/errors.js";
import type { S3Credentials, S3UrlStyle } from "../base/s3-access.js";
import { ENDPOINT_RULE, isEndpoint, type S3Settings } from "../settings/settings.js";

const CONNECT_MILLISECONDS = 5_000;
/** A service that is silent for longer is taken for dead. No copy of a part takes this long, see s3-objects.ts. */
const SILENCE_MILLISECONDS = 20_000;

/** How long current requests may continue after the work is cancelled. */
const UNDER_WAY_MILLISECONDS = 2_000;
/** How long the requests that undo the work may take after that. */
const AFTERWARDS_MILLISECONDS = 4_000;

/** A service that is not AWS accepts any region. All of them accept this one. */
const REGION_OF_ENDPOINTS = "us-east-1";

/** A client for all zones of a run, with the settings that it found on the machine. */
export interface S3Connection {
  readonly client: S3Client;
  /** The client's own endpoint; undefined for the usual host of AWS in the region. */
  readonly endpoint: string | undefined;
  readonly urlStyle: S3UrlStyle;
  readonly region: string;
  /** The certificate authorities to trust, as PEM. */
  readonly authorities: string;
  credentials(): Promise<S3Credentials>;
  /**
   * How many milliseconds the clock of the service is ahead, by its answers so far; 0 if the difference is under four
   * minutes.
   */
  clockOffset(): number;
}

/**
 * Creates a client. If a setting is missing, the client looks where the AWS SDK does: profiles, roles, metadata
 * services.
 * @param signal cancels the work of the client.
 * @throws PipelineError INVALID_SETTINGS if there is no region, if the CA bundle or the profile is not usable, or if
 * a proxy is set for the endpoint.
 */
export async function connectS3(settings: S3Settings, signal?: AbortSignal): Promise<S3Connection> {
  // The region of a profile for another endpoint means nothing for this one.
  const found = settings.endpoint === undefined ? await foundBySdk() : {};
  const configured = settings.endpoint ?? found.endpoint;
  const region =
    settings.region ?? found.region ?? (configured === undefined ? undefined : REGION_OF_ENDPOINTS);
  if (region === undefined) {
    throw new PipelineError("INVALID_SETTINGS", "the zones are on S3, but no region is set. Set AWS_REGION");
  }
  // AWS is phasing out the path style; other services seldom have a host name for each bucket.
  const urlStyle = settings.urlStyle ?? (configured === undefined ? "vhost" : "path");
  const authorities = await trustedAuthorities(settings.caBundle);
  const client = new S3Client({
    retryStrategy,
    forcePathStyle: urlStyle === "path",
    ...(configured === undefined ? {} : { endpoint: configured }),
    region,
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    // Some services do not know the newer checksums, and TLS and ETags already protect the requests.
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

/** Ends requests that continue for too long after the work is cancelled, so that a silent service does not delay it. */
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

/** The bucket names that can be part of a host name, by the rules of AWS. */
const NAME_IN_HOST = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Checks that the connection can reach the buckets by their names.
 * @param locations `s3://bucket/prefix`.
 * @throws PipelineError INVALID_SETTINGS that names the first unreachable one.
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
 * The endpoint and the region that the SDK finds, usually in a profile. The SDK would use that endpoint silently, and
 * DuckDB would not.
 * @throws PipelineError INVALID_SETTINGS if the profile is not usable.
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

/** The address of requests. Settings of the SDK, for example for FIPS and IPv6, change the host. */
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
 * DuckDB uses proxies from the environment, and the SDK does not. So the two would reach different servers.
 * @throws PipelineError INVALID_SETTINGS if a proxy is set for the address.
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

/** Whether NO_PROXY includes a host, by the rules of curl, which DuckDB uses. */
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

/** The authorities of Node, which do not need an installation on the machine, and those of a bundle. */
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

/** The wait before each retry: a service that restarts is available again within seconds. */
const DELAYS_MILLISECONDS = [200, 400, 800, 1_600, 3_200];
/** A service that was silent this long may stay silent: no further retry begins. */
const PATIENCE_MILLISECONDS = 30_000;

/** The retries of a call: their number and the time of the first. */
interface Tries {
  readonly count: number;
  readonly since: number;
  getRetryCount(): number;
  getRetryDelay(): number;
  getRetryCost(): undefined;
}

/** The rules for the retry of a failed call to S3. */
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

/** A server that does not know a call will not know it a second later either. */
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
