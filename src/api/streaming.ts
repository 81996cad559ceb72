import type { Writable } from "node:stream";

/** The client is gone: nobody waits for what would follow. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/**
 * Writes, and waits until the client has taken enough of it, so that what it does not read is not held in memory.
 * @throws ClientGone
 */
export async function written(response: Writable, text: string): Promise<void> {
  if (isGone(response)) throw new ClientGone();
  if (text === "" || response.write(text)) return;
  await new Promise<void>((resolve) => {
    const goOn = () => {
      response.off("drain", goOn).off("close", goOn);
      resolve();
    };
    response.on("drain", goOn).on("close", goOn);
  });
  if (isGone(response)) throw new ClientGone();
}

function isGone(response: Writable): boolean {
  return response.destroyed;
}
