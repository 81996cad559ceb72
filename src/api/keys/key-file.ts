import { parseDocument } from "yaml";
import * as z from "zod";
import { PipelineError } from "../../base/errors.js";

/** A client that may ask. */
export interface ApiKey {
  /** Stands in the log, and in no answer. */
  readonly name: string;
  readonly sha256: Buffer;
  /** Undefined: as many as it likes. */
  readonly requestsPerMinute: number | undefined;
  /** From this moment on it is as unknown. */
  readonly expires: Date | undefined;
}

const keySchema = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"),
    sha256: z.string().regex(/^[0-9a-f]{64}$/i, "must be a SHA-256 of 64 hexadecimal digits, in quotes"),
    requests_per_minute: z.int("must be a whole number").min(1, "must be at least 1").optional(),
    expires: z
      .union([z.iso.date(), z.iso.datetime({ offset: true })], {
        error: "must be a day as 2027-01-01 or a moment as 2027-01-01T06:00:00Z",
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
    .refine(
      (keys) => new Set(keys.map(({ name }) => name)).size === keys.length,
      "must differ by their names",
    )
    .refine(
      (keys) => new Set(keys.map(({ sha256 }) => sha256.toString("hex"))).size === keys.length,
      "must differ by their sha256",
    ),
});

/**
 * Reads the text of a file of keys.
 * @param file stands in messages.
 * @throws PipelineError INVALID_SETTINGS that lists every fault at once.
 */
export function parseKeys(text: string, file: string): readonly ApiKey[] {
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken !== undefined) throw wrong(file, [broken.message.split("\n", 1)[0] ?? "it is no YAML"]);
  const parsed = fileSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data.keys;
  throw wrong(
    file,
    parsed.error.issues.map(({ path, message }) => [path.map(String).join("."), message].join(" ").trim()),
  );
}

function wrong(file: string, faults: readonly string[]): PipelineError {
  const lines = faults.map((fault) => `  ${fault}`);
  return new PipelineError(
    "INVALID_SETTINGS",
    [`the file of keys ${file} (API_KEYS_FILE) is wrong:`, ...lines].join("\n"),
  );
}
