import { existsSync } from "node:fs";
import { messageOf, PipelineError, type FaultCode } from "../../base/errors.js";
import { s3Error } from "../../base/s3-faults.js";
import { firstLine } from "../../base/words.js";
import { EngineError } from "../builder.js";

/** The file that an error is about lies below the folder of a session. Further on a message can quote what a model has read. */
const OF_A_SESSION = /^[^"'\n]*["'][^"'\n]*[/\\]session-[A-Za-z0-9]{6}[/\\]/;
const NO_SPACE = /No space left on device|Disk quota exceeded/i;

/** An error that DuckDB gave, by the class that its message begins with. */
export class DuckDbError extends EngineError {
  override readonly name = "DuckDbError";

  constructor(
    /** As DuckDB names it: `IO`, `Invalid Input`, `Binder`, … */
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
 * Turns what DuckDB throws into a typed error: a PipelineError where it is about the machine, else a DuckDbError, which
 * the caller, who knows what was asked, turns into a fault of a file or of a model.
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
 * What has become of a session whose temporary files were removed or damaged while it used them; undefined for any other error.
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

/** A fault of S3, and not of what was read or written there. */
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

/** What DuckDB says of answers that no S3 would give, by what is wrong with them. */
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

/** What DuckDB says of the fault, without its stack, and its advice on options that are not the reader's to set. */
function shorten(message: string): string {
  return message
    .replace(
      /\n+\s*(Possible fixes:|Possible Solution|To correctly parse this file|Stack Trace:)[\s\S]*$/,
      "",
    )
    .replace(/\n{2,}/g, "\n")
    .trim();
}
