import type { SegmentKind } from "../../../../voucher/segment-kinds.js";

/** How a file is to be answered, as it is filled in. */
export interface Options {
  /** Of the lines that name none; empty where each line has to. */
  readonly segmentName: SegmentKind | "";
  readonly asOf: string;
  readonly fallsBack: boolean;
  readonly minAssignments: string;
}

/** What the service is asked. Every piece is asked for the same publication and day, however long a file takes. */
export function queryOf(options: Options, executionDate: string, today: string): URLSearchParams {
  const query = new URLSearchParams({
    execution_date: executionDate,
    as_of: options.asOf === "" ? today : options.asOf,
    fallback: options.fallsBack ? "country" : "none",
  });
  if (options.segmentName !== "") query.set("segment_name", options.segmentName);
  if (options.minAssignments !== "") query.set("min_assignments", options.minAssignments);
  return query;
}

/** Why a file is not priced, as a person is told. */
export class PricingError extends Error {
  override readonly name = "PricingError";

  constructor(
    readonly title: string,
    /** What is wrong, and what to do. */
    readonly detail: string,
    readonly errors: readonly { readonly field: string; readonly message: string }[] = [],
    options?: ErrorOptions,
  ) {
    super(`${title}: ${detail}`, options);
  }
}

/** The service has refused what was asked. */
async function refusal(response: Response): Promise<PricingError> {
  const text = await response.text();
  try {
    const { title, detail, errors } = JSON.parse(text) as Partial<PricingError>;
    if (title !== undefined && detail !== undefined) return new PricingError(title, detail, errors);
  } catch {
    // What stands between here and the service has answered, and not by a problem document.
  }
  return new PricingError(
    "The service has not answered",
    `What came was an answer of the status ${response.status}. Try again later.`,
  );
}

/** What went wrong, in words. */
export function pricingErrorOf(error: unknown): PricingError {
  if (error instanceof PricingError) return error;
  return new PricingError(
    "The file cannot be read",
    "It may have changed or gone since it was chosen, or be compressed and broken. Choose it again.",
    [],
    { cause: error },
  );
}

const ATTEMPTS = 3;
const PAUSE_SECONDS = 1;
/** What passes: the key has asked too often, and the service or its database is away for a moment. */
const TOO_MANY_REQUESTS = 429;
const UNAVAILABLE = 503;

/** For how long nothing is asked: the key has asked too often, or the service is away. */
export interface Wait {
  readonly seconds: number;
  readonly reason: "limit" | "away";
}

/** How the service is asked. */
export interface Asking {
  readonly signal: AbortSignal;
  readonly onWait?: (wait: Wait) => void;
}

/** The connection broke off within an answer. */
export class BrokenOff extends Error {
  override readonly name = "BrokenOff";
}

/**
 * Asks the service, and again after a while where that may help.
 * @param read makes of an answer what it is asked for.
 * @throws PricingError where it refuses or stays away, BrokenOff where no answer comes to its end.
 */
export async function ask<Answer>(
  address: string,
  request: RequestInit,
  read: (response: Response) => Promise<Answer>,
  asking: Asking,
): Promise<Answer> {
  for (let attempt = 1; ;) {
    const response = await unlessBroken(
      fetch(address, { ...request, cache: "no-store", signal: asking.signal }),
      asking,
    );
    if (response?.status === TOO_MANY_REQUESTS) {
      await pause({ seconds: retryAfter(response), reason: "limit" }, asking);
      continue;
    }
    const answer = response?.ok === true ? await unlessBroken(read(response), asking) : undefined;
    if (answer !== undefined) return answer;
    if (attempt === ATTEMPTS || !mayPass(response)) throw await faultOf(response);
    await pause({ seconds: attempt * PAUSE_SECONDS, reason: "away" }, asking);
    attempt += 1;
  }
}

/** Whether it may go well the next time: nothing came, or not all of it, or the service is away for a moment. */
function mayPass(response: Response | undefined): boolean {
  return response === undefined || response.ok || response.status === UNAVAILABLE;
}

async function faultOf(response: Response | undefined): Promise<Error> {
  if (response === undefined) return unreachable();
  return response.ok ? new BrokenOff() : refusal(response);
}

/** @returns undefined where the network fails. */
async function unlessBroken<Answer>(
  answer: Promise<Answer>,
  { signal }: Asking,
): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    signal.throwIfAborted();
    // What the network does is a TypeError.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get("Retry-After"));
  return seconds > 0 ? seconds : PAUSE_SECONDS;
}

async function pause(wait: Wait, { signal, onWait }: Asking): Promise<void> {
  onWait?.(wait);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, wait.seconds * 1_000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  signal.throwIfAborted();
}

function unreachable(): PricingError {
  return new PricingError(
    "The service cannot be reached",
    "Nothing answers at its address. Look whether you are connected, and try again.",
  );
}

/** What changes when an execution date is published anew. The service knows it even while its database is away. */
export async function publicationTag(executionDate: string, asking: Asking): Promise<string> {
  const query = new URLSearchParams({ execution_date: executionDate });
  return ask(
    `/v1/segments?${query.toString()}`,
    { method: "HEAD" },
    (response) => Promise.resolve(response.headers.get("ETag") ?? ""),
    asking,
  );
}

/** The answers were published anew while a file was priced: some of its lines may have old ones. */
export class PublishedAnew extends PricingError {
  constructor() {
    super(
      "The answers have changed meanwhile",
      "Their date was published anew while the file was priced, so its lines may not go together. Price it again.",
    );
  }
}
