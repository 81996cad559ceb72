import { timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { messageOf, PipelineError } from "../../base/errors.js";
import { hashOfApiKey } from "../../settings/api-key-hash.js";
import { parseKeys, type ApiKey } from "./key-file.js";

const LOOK_MILLISECONDS = 1_000;

/**
 * The keys of a file, which is read again and again: a key that is put in or taken out counts within a second. A file that
 * is broken or gone changes nothing: half an edit must not shut everybody out.
 */
export class KeyRing {
  readonly #file: string;
  readonly #log: Logger;
  #text: string;
  #keys: readonly ApiKey[];
  /** What was wrong at the last look. */
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(file: string, log: Logger, text: string) {
    this.#file = file;
    this.#log = log;
    this.#text = text;
    this.#keys = parseKeys(text, file);
  }

  /** @throws PipelineError INVALID_SETTINGS where the file cannot be read, or is wrong. */
  static async open(file: string, log: Logger): Promise<KeyRing> {
    const ring = new KeyRing(file, log, await readKeyFile(file));
    ring.#lookLater();
    return ring;
  }

  /** Stops looking for changes. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** The entry of a key that counts at a moment. Every entry is compared, in the same time whatever the key is. */
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
    this.#log.info({ keys: this.#keys.map(({ name }) => name) }, "the keys were read anew");
  }

  #warnOnce(fault: string): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#log.warn(`${fault}; the keys that were read last go on counting`);
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
