import { refusal, Trouble } from "./trouble.js";

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
 * @throws Trouble where it refuses or stays away, BrokenOff where no answer comes to its end.
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

function unreachable(): Trouble {
  return new Trouble(
    "The service cannot be reached",
    "Nothing answers at its address. Look whether you are connected, and try again.",
  );
}
