import type { S3ClientConfig } from "@aws-sdk/client-s3";

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
