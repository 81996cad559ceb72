import { timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { load, YAMLException } from "js-yaml";
import type { Logger } from "pino";
import * as z from "zod";
import { messageOf, PipelineError } from "../../base/errors.js";
import { firstLine } from "../../base/words.js";
import { hashOfApiKey } from "../../settings/api-key-hash.js";

/** A client with a key. */
export interface ApiKey {
  /** It is in the log, but in no response. */
  readonly name: string;
  readonly sha256: Buffer;
  /** Undefined: no limit. */
  readonly requestsPerMinute: number | undefined;
  /** From this time on the key is unknown. */
  readonly expires: Date | undefined;
}

const LOOK_MILLISECONDS = 1_000;

/**
 * The keys of a file, which is read regularly: an added or removed key takes effect within a second. A broken or
 * missing file changes nothing, so that half an edit does not lock everybody out.
 */
export class KeyRing {
  readonly #file: string;
  readonly #log: Logger;
  #text: string;
  #keys: readonly ApiKey[];
  /** The fault of the last read. */
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(file: string, log: Logger, text: string) {
    this.#file = file;
    this.#log = log;
    this.#text = text;
    this.#keys = parseKeys(text, file);
  }

  /** @throws PipelineError INVALID_SETTINGS if the file is not readable, or invalid. */
  static async open(file: string, log: Logger): Promise<KeyRing> {
    const ring = new KeyRing(file, log, await readKeyFile(file));
    ring.#lookLater();
    return ring;
  }

  /** Stops the checks for changes. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** The entry of a key that is valid at a moment. Every entry is compared, so that the time does not depend on the key. */
  find(key: string, now: Date): ApiKey | undefined {
    const hash = hashOfApiKey(key);
    const [found] = this.#keys.filter(({ sha256 }) => timingSafeEqual(sha256, hash));
    const isExpired = found?.expires !== undefined && found.expires <= now;
    return isExpired ? undefined : found;
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => {
        this.#lookLater();
      });
    }, LOOK_MILLISECONDS).unref();
  }

  async #look(): Promise<void> {
    try {
      const text = await readKeyFile(this.#file);
      if (text !== this.#text) this.#take(text);
      this.#fault = undefined;
    } catch (error) {
      this.#warnOnce(messageOf(error));
    }
  }

  #take(text: string): void {
    this.#keys = parseKeys(text, this.#file);
    this.#text = text;
    this.#log.info({ keys: this.#keys.map(({ name }) => name) }, "the keys were reloaded");
  }

  #warnOnce(fault: string): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#log.warn(`${fault}; the keys that were read last stay valid`);
  }
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new PipelineError(
      "INVALID_SETTINGS",
      `the file of keys ${file} (API_KEYS_FILE) cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

const keySchema = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"),
    sha256: z.string().regex(/^[0-9a-f]{64}$/i, "must be a SHA-256 of 64 hexadecimal digits, in quotes"),
    requests_per_minute: z.int("must be a whole number").min(1, "must be at least 1").optional(),
    expires: z
      .union([z.iso.date(), z.iso.datetime({ offset: true })], {
        error: "must be a day or a time, for example 2027-01-01 or 2027-01-01T06:00:00Z",
      })
      .optional(),
  })
  .transform(({ name, sha256, requests_per_minute, expires }): ApiKey => ({
    name,
    sha256: Buffer.from(sha256, "hex"),
    requestsPerMinute: requests_per_minute,
    expires: expires === undefined ? undefined : new Date(expires),
  }));

const fileSchema = z.strictObject({
  keys: z
    .array(keySchema, "must be a list of keys")
    .refine((keys) => new Set(keys.map(({ name }) => name)).size === keys.length, "must have different names")
    .refine(
      (keys) => new Set(keys.map(({ sha256 }) => sha256.toString("hex"))).size === keys.length,
      "must have different values of sha256",
    ),
});

/**
 * Reads the text of a file of keys.
 * @param file its name in messages.
 * @throws PipelineError INVALID_SETTINGS that lists every fault at once.
 */
function parseKeys(text: string, file: string): readonly ApiKey[] {
  const parsed = fileSchema.safeParse(valueOf(text, file));
  if (parsed.success) return parsed.data.keys;
  throw wrong(
    file,
    parsed.error.issues.map(({ path, message }) => [path.map(String).join("."), message].join(" ").trim()),
  );
}

function valueOf(text: string, file: string): unknown {
  try {
    return load(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw wrong(file, [firstLine(error.message)]);
  }
}

function wrong(file: string, faults: readonly string[]): PipelineError {
  const lines = faults.map((fault) => `  ${fault}`);
  return new PipelineError(
    "INVALID_SETTINGS",
    [`the file of keys ${file} (API_KEYS_FILE) is wrong:`, ...lines].join("\n"),
  );
}
