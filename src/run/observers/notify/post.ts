import { systemCodeOf } from "../../../base/errors.js";

const TRIES = 2;
/** Of each try: a run that is over does not wait for longer than five seconds for who only wants to know. */
const PATIENCE_MILLISECONDS = 2_500;

/**
 * Posts JSON, and once more where that fails.
 * @param address is a secret: whoever knows it can post there. No error has it, nor a part of it.
 * @throws an error that says what went wrong.
 */
export async function post(address: string, content: object): Promise<void> {
  let fault = "";
  for (let tried = 0; tried < TRIES; tried++) {
    const reason = await faultOfPost(address, content);
    if (reason === undefined) return;
    fault = reason;
  }
  throw new Error(`the address of --notify or NOTIFY_URL ${fault}; nobody was told`);
}

/** What went wrong; undefined where it was taken. */
async function faultOfPost(address: string, content: object): Promise<string | undefined> {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
      // It goes to no other address than the one that was named.
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    });
    // A body that nobody reads would keep the connection.
    await answer.body?.cancel();
    return answer.ok ? undefined : `answered ${answer.status.toString()}`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** By the system's code alone: messages of `fetch` can have the address in them. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: unknown };
  if (name === "TimeoutError") return `was silent for ${(PATIENCE_MILLISECONDS / 1_000).toString()} s`;
  return `could not be reached (${systemCodeOf(cause) ?? "no reason is known"})`;
}
