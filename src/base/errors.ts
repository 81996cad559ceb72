/** The kinds of fault, by what a person or a scheduler does next. Each has its exit code, see docs/errors.md. */
export type FaultKind = "usage" | "data" | "unavailable" | "locked" | "cancelled";

/** Every code of a fault that a user can cause, with its kind. docs/errors.md explains each; a test keeps the two equal. */
export const FAULTS = {
  INVALID_USAGE: "usage",
  INVALID_SETTINGS: "usage",
  INVALID_EXECUTION_DATE: "usage",
  INVALID_MODEL: "usage",
  MACHINE_NOT_USABLE: "usage",
  ZONE_NOT_USABLE: "usage",
  EXTENSION_MISSING: "usage",
  ENGINE_NOT_USABLE: "usage",
  LINEAGE_UNKNOWN: "usage",
  CONSUMPTION_NOT_USABLE: "usage",
  CONSUMPTION_TABLE_DIFFERS: "usage",
  RAW_ZONE_EMPTY: "data",
  RAW_FILE_UNREADABLE: "data",
  RUN_NOT_REPLAYABLE: "data",
  REPLAY_DIFFERS: "data",
  MODEL_FAILED: "data",
  AUDIT_FAILED: "data",
  TOO_MANY_CHANGES: "data",
  PARTITION_MISSING: "data",
  PUBLICATION_MISSING: "data",
  PARTITION_DIFFERS: "data",
  RAW_FILES_CHANGED: "unavailable",
  STORAGE_FULL: "unavailable",
  STORAGE_FAILED: "unavailable",
  ENGINE_UNAVAILABLE: "unavailable",
  CONSUMPTION_UNAVAILABLE: "unavailable",
  CONSUMPTION_LOST: "unavailable",
  TIMED_OUT: "unavailable",
  LOCK_HELD: "locked",
  LOCK_LOST: "locked",
  CANCELLED: "cancelled",
} as const satisfies Record<string, FaultKind>;

export type FaultCode = keyof typeof FAULTS;

/**
 * A fault that the person who runs the pipeline can act on. The message says what is wrong, where, and what to do;
 * `code` is stable. Anything thrown that is no PipelineError is a bug, and keeps its stack.
 */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  /** The report of the failed run: a path, or a URL on S3. */
  report: string | undefined;
  /** What the run that has ended with it warned of. */
  warnings: readonly string[] = [];

  /** What else `--json` tells of it, by name. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: FaultCode,
    message: string,
    {
      details = {},
      ...options
    }: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options);
    this.details = details;
  }

  get kind(): FaultKind {
    return FAULTS[this.code];
  }
}

/** The fault of work that was cancelled: what its signal was aborted with, where that is a fault. */
export function cancelled({ reason }: AbortSignal): PipelineError {
  return reason instanceof PipelineError
    ? reason
    : new PipelineError("CANCELLED", "cancelled; nothing was changed");
}

/** Whether work ended because its signal was aborted, and not because of what it worked on. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error || isMessageBearer(thrown) ? thrown.message : String(thrown);
}

/** The system's code of an error (`ENOENT`, `SQLITE_BUSY`), where it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Errors made in another realm, as by native modules under a test runner, are no `instanceof Error`. */
function isMessageBearer(thrown: unknown): thrown is { message: string } {
  return (
    typeof thrown === "object" && thrown !== null && "message" in thrown && typeof thrown.message === "string"
  );
}

/** What an error says: several addresses that all refuse are one error without a message of its own. */
export function saidBy(error: unknown): string {
  return messageOf(error) === "" ? (systemCodeOf(error) ?? "no answer") : messageOf(error);
}
