import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import tls from "node:tls";
import { S3Client } from "@aws-sdk/client-s3";
import { messageOf, PipelineError } from "../errors.js";
import type { S3Credentials } from "../s3-access.js";
import type { S3Settings } from "../settings.js";
import { retryStrategy } from "./s3-retries.js";

const CONNECT_MILLISECONDS = 5_000;
/** A service that says nothing for longer is taken for dead. No copy of a part takes it as long, see s3-objects.ts. */
const SILENCE_MILLISECONDS = 20_000;

/** How long, from the moment at which the work is cancelled, requests that are under way then may go on. */
const UNDER_WAY_MILLISECONDS = 2_000;
/** And those that undo what the work has done. */
const AFTERWARDS_MILLISECONDS = 4_000;

/** Any name of a region will do where the service is not AWS; this is what all of them take. */
const REGION_OF_ENDPOINTS = "us-east-1";

/** A client for all zones of a run, and what it has found out of the settings and the machine. */
export interface S3Connection {
  readonly client: S3Client;
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
 * @throws PipelineError INVALID_SETTINGS where there is no region, or the CA bundle cannot be read.
 */
export async function connectS3(settings: S3Settings, signal?: AbortSignal): Promise<S3Connection> {
  const region = settings.region ?? (settings.endpoint === undefined ? undefined : REGION_OF_ENDPOINTS);
  const authorities = await trustedAuthorities(settings.caBundle);
  const client = new S3Client({
    retryStrategy,
    forcePathStyle: settings.urlStyle === "path",
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(region === undefined ? {} : { region }),
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
  const credentials = () => client.config.credentials();
  return {
    client,
    region: await regionOf(client),
    authorities: authorities.join("\n"),
    credentials,
    clockOffset: () => client.config.systemClockOffset,
  };
}

/** Ends requests that go on for too long once the work is cancelled, so that a silent service does not hold it up. */
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
    controller.abort();
  };
  signal.addEventListener("abort", () => setTimeout(abort, milliseconds).unref(), { once: true });
  return controller.signal;
}

async function regionOf({ config }: S3Client): Promise<string> {
  try {
    return await config.region();
  } catch (error) {
    throw new PipelineError(
      "INVALID_SETTINGS",
      `the zones are on S3 and no region is known: set AWS_REGION`,
      {
        cause: error,
      },
    );
  }
}

/** Those that Node brings, which need none to be installed on the machine, and those of a bundle. */
async function trustedAuthorities(caBundle: string | undefined): Promise<string[]> {
  if (caBundle === undefined) return [...tls.rootCertificates];
  try {
    return [...tls.rootCertificates, await readFile(caBundle, "utf8")];
  } catch (error) {
    throw new PipelineError("INVALID_SETTINGS", `AWS_CA_BUNDLE cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
