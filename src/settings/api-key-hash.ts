import { createHash, randomBytes } from "node:crypto";

const KEY_BYTES = 32;
/** By this a key can be told from other secrets, where it has got to a place it should not be in. */
const PREFIX = "voucher_";

/** Makes a key of a client: 256 random bits, as text. */
export function newApiKey(): string {
  return PREFIX + randomBytes(KEY_BYTES).toString("base64url");
}

/**
 * What is kept of a key. A plain SHA-256 is right here, unlike for passwords: of 256 random bits there is nothing to guess,
 * so that a slow hash would only make requests slow.
 */
export function hashOfApiKey(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
