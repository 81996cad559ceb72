/** The kinds of fault, by the next action of a person or a scheduler. Each has its exit code, see docs/errors.md. */
export type FaultKind = "usage" | "data" | "unavailable" | "locked" | "cancelled";

/** Every code of a fault that a user can cause, with its kind. docs/errors.md explains each; a test compares the two. */
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
  SQL_VERSION_DIFFERS: "usage",
  RAW_ZONE_EMPTY: "data",
  RAW_FILE_UNREADABLE: "data",
  RUN_NOT_REPLAYABLE: "data",
  REPLAY_DIFFERS: "data",
  MODEL_FAILED: "data",
  TEST_FAILED: "data",
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
 * A fault for the person who runs the pipeline. The message has the fault, its place and its remedy; `code` is
 * stable. Any other error is a bug, and keeps its stack.
 */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  /** The report of the failed run: a path, or a URL on S3. */
  report: string | undefined;
  /** The warnings of the run that ended with it. */
  warnings: readonly string[] = [];

  /** Further details for `--json`, by name. */
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

/** The fault of cancelled work: the reason of its signal, if that is a fault. */
export function cancelled({ reason }: AbortSignal): PipelineError {
  return reason instanceof PipelineError
    ? reason
    : new PipelineError("CANCELLED", "cancelled; nothing was changed");
}

/** Whether work ended because of an aborted signal, and not because of its data. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** The message of any thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error || isMessageBearer(thrown) ? thrown.message : String(thrown);
}

/** The system's code of an error (`ENOENT`, `SQLITE_BUSY`), if it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Errors from another realm, such as from native modules under a test runner, are not `instanceof Error`. */
function isMessageBearer(thrown: unknown): thrown is { message: string } {
  return (
    typeof thrown === "object" && thrown !== null && "message" in thrown && typeof thrown.message === "string"
  );
}

/** The message of an error. If several addresses all refuse, that is one error without its own message. */
export function saidBy(error: unknown): string {
  return messageOf(error) === "" ? (systemCodeOf(error) ?? "no answer") : messageOf(error);
}
