import { existsSync } from "node:fs";
import { messageOf, PipelineError, type FaultCode } from "../../base/errors.js";
import { s3Error } from "../../base/s3-faults.js";
import { firstLine } from "../../base/words.js";
import { EngineError } from "../builder.js";

/**
 * The file of an error is below the folder of a session. Only the start counts: later a message can quote values that
 * a model has read.
 */
const OF_A_SESSION = /^[^"'\n]*["'][^"'\n]*[/\\]session-[A-Za-z0-9]{6}[/\\]/;
const NO_SPACE = /No space left on device|Disk quota exceeded/i;

/** An error of DuckDB, with the class at the start of its message. */
export class DuckDbError extends EngineError {
  override readonly name = "DuckDbError";

  constructor(
    /** DuckDB's name of it: `IO`, `Invalid Input`, `Binder`, … */
    readonly errorClass: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get isFatal(): boolean {
    return ["INTERNAL", "FATAL"].includes(this.errorClass);
  }
}

/**
 * Turns an error of DuckDB into a typed one. An error about the machine becomes a PipelineError. Any other becomes a
 * DuckDbError. The caller knows the statement's purpose, and turns that into a fault of a file or of a model.
 */
export function translateDuckDbError(thrown: unknown): Error {
  if (thrown instanceof PipelineError || thrown instanceof DuckDbError) return thrown;
  const message = messageOf(thrown)
    .trim()
    .replace(/^Failed to extract statements: /, "");
  const s3Fault = s3FaultOf(message, thrown);
  if (s3Fault !== undefined) return s3Fault;
  if (NO_SPACE.test(message)) {
    return new PipelineError(
      "STORAGE_FULL",
      `the disk is full: ${firstLine(message)}; free some space and run again`,
      {
        cause: thrown,
      },
    );
  }
  if (message.startsWith("Out of Memory Error")) {
    return new PipelineError(
      "STORAGE_FULL",
      `DuckDB ran out of memory or of temporary disk space: ${firstLine(message)}; ` +
        "raise DUCKDB_MEMORY_LIMIT, or give DUCKDB_TEMP_DIRECTORY more space",
      { cause: thrown },
    );
  }
  const errorClass = /^([A-Z][A-Za-z ]*?) Error:/.exec(message)?.[1] ?? "Unknown";
  return new DuckDbError(errorClass, shorten(message), { cause: thrown });
}

/**
 * The fault of a session whose temporary files were removed or damaged during use; undefined for any other error.
 * @param folder the session's own; undefined if it has none.
 */
export function temporaryFileFault(thrown: unknown, folder: string | undefined): PipelineError | undefined {
  const message = firstLine(messageOf(thrown));
  const isGone = folder !== undefined && !existsSync(folder);
  const isOther = thrown instanceof PipelineError || NO_SPACE.test(message);
  if (isOther || !(isGone || OF_A_SESSION.test(message))) return undefined;
  return new PipelineError(
    "STORAGE_FAILED",
    `temporary files are missing or unusable: ${message}; ` +
      "do not let other programs clean DUCKDB_TEMP_DIRECTORY, and run again",
    { cause: thrown },
  );
}

/** A fault of S3 itself, not of the files on it. */
function s3FaultOf(message: string, cause: unknown): PipelineError | undefined {
  if (!/^(IO|HTTP) Error: /.test(message)) return undefined;
  const wrong = wrongAnswerOf(message, cause);
  if (wrong !== undefined) return wrong;
  const [, what, url] = /^IO Error: ([^\n]*) error for HTTP [A-Z]+ to '([^'\n]*)'/.exec(message) ?? [];
  if (what !== undefined && url !== undefined) {
    const code = /SSL|certificate/i.test(what) ? "ERR_TLS_HANDSHAKE" : undefined;
    return s3Error({ place: `S3 at ${url}`, code, status: undefined, message: what, cause });
  }
  if (!message.startsWith("HTTP Error:")) return undefined;
  const [, status] = /\(HTTP (?:code )?([0-9]{3})/.exec(message) ?? [];
  const [, code, said] = /^([A-Z][A-Za-z0-9]+): (.*)$/m.exec(message.split("\n").slice(1).join("\n")) ?? [];
  const [, place] = /((?:https?|s3):\/\/[^'\n]*?)(?:'|: )/.exec(message) ?? [];
  return s3Error({
    place: place === undefined ? "S3" : `S3 at ${place}`,
    code,
    status: status === undefined ? undefined : Number(status),
    message: said ?? firstLine(message),
    cause,
  });
}

/** DuckDB's errors after responses that no correct S3 server sends, with their causes. */
const WRONG_ANSWERS: readonly (readonly [RegExp, FaultCode, string])[] = [
  [
    /Unexpected response when uploading part to S3/,
    "ZONE_NOT_USABLE",
    "it answers a write without an ETag. Configure every proxy to pass ETags, or use another server",
  ],
  [
    /ETag on reading file "[^"]*" was initially (?:W\/)?("[^"]*") and now it returned (?:W\/)?\1,/,
    "ZONE_NOT_USABLE",
    "it gives weak ETags in some answers. Configure every proxy not to change or compress answers",
  ],
  [
    /ETag on reading file/,
    "STORAGE_FAILED",
    "the ETag of an object changed while it was read. Run again. If this happens again, a server or proxy " +
      "changes ETags; check with 'npx pipeline doctor'",
  ],
  [
    /Short read for HTTP GET|Content-Length from server mismatches|Server sent back more data|Failed to read from HTTP file/,
    "STORAGE_FAILED",
    "it sends the wrong byte range. Run again. If this happens again, configure the server and its proxies to support range requests",
  ],
  [
    /Unexpected response (?:during|while) |Failed to parse S3 result|Parsing error while parsing s3/,
    "STORAGE_FAILED",
    "its answer is not an S3 answer. Run again. If this happens again, check AWS_ENDPOINT_URL_S3 and every proxy",
  ],
];

function wrongAnswerOf(message: string, cause: unknown): PipelineError | undefined {
  const [, code, what] = WRONG_ANSWERS.find(([pattern]) => pattern.test(message)) ?? [];
  if (code === undefined || what === undefined) return undefined;
  const said = firstLine(message).replace(/^[A-Z]+ Error: /, "");
  return new PipelineError(code, `the S3 server gives invalid answers: ${what} (DuckDB: ${said})`, { cause });
}

/** DuckDB's message without its stack, and without its advice on options that the reader cannot set. */
function shorten(message: string): string {
  return message
    .replace(
      /\n+\s*(Possible fixes:|Possible Solution|To correctly parse this file|Stack Trace:)[\s\S]*$/,
      "",
    )
    .replace(/\n{2,}/g, "\n")
    .trim();
}
