import { createHash, randomBytes } from "node:crypto";

const KEY_BYTES = 32;
/** The prefix that identifies a leaked key among other secrets. */
const PREFIX = "voucher_";

/** Makes a key of a client: 256 random bits, as text. */
export function newApiKey(): string {
  return PREFIX + randomBytes(KEY_BYTES).toString("base64url");
}

/**
 * The stored form of a key. A plain SHA-256 is right here, unlike for passwords: nobody can guess 256 random bits, so
 * a slow hash would only make requests slow.
 */
export function hashOfApiKey(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
