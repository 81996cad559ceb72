import { messageOf, PipelineError } from "../errors.js";

/** An error that DuckDB gave, by the class that its message begins with. */
export class DuckDbError extends Error {
  override readonly name = "DuckDbError";

  constructor(
    /** As DuckDB names it: `IO`, `Invalid Input`, `Binder`, … */
    readonly errorClass: string,
    message: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }

  get onOneLine(): string {
    return this.message.replace(/\s*\n\s*/g, " ");
  }
}

/**
 * Turns what DuckDB throws into a typed error: a PipelineError where it is about the machine, else a DuckDbError, which
 * the caller, who knows what was asked, turns into a fault of a file or of a model.
 */
export function translateDuckDbError(thrown: unknown): Error {
  const message = messageOf(thrown).trim();
  if (/No space left on device/i.test(message)) {
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
        "raise DUCKDB_MEMORY_LIMIT, or give DUCKDB_TEMP_DIRECTORY more room",
      { cause: thrown },
    );
  }
  const errorClass = /^([A-Z][A-Za-z ]*?) Error:/.exec(message)?.[1] ?? "Unknown";
  return new DuckDbError(errorClass, shorten(message), { cause: thrown });
}

/** What DuckDB says of the fault, without its advice on options that are not the reader's to set. */
function shorten(message: string): string {
  return message
    .replace(/\n+\s*Possible fixes:[\s\S]*$/, "")
    .replace(/\n{2,}/g, "\n")
    .trim();
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
