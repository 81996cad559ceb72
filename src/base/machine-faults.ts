import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { cancelled, isAbort, messageOf, PipelineError, systemCodeOf } from "./errors.js";

const OLDEST_NODE = [20, 19] as const;
/** A run over a few raw files opens fewer. */
const ENOUGH_FILES = 1_024;

/** @returns undefined if this Node can run the pipeline. */
export function nodeFault(version: string = process.versions.node): PipelineError | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  const message = `Node ${version} is too old; install Node ${OLDEST_NODE.join(".")} or newer`;
  return new PipelineError("MACHINE_NOT_USABLE", message);
}

/**
 * The fault of the machine that caused an error: a limit of the process, memory, or an incomplete installation.
 * @returns undefined if neither the error nor its causes show such a fault.
 */
export function machineFault(error: unknown): PipelineError | undefined {
  if (error instanceof PipelineError && error.code === "MACHINE_NOT_USABLE") return error;
  for (const cause of causesOf(error)) {
    // Messages of the pipeline can quote data.
    const message = cause instanceof PipelineError ? undefined : remedyOf(cause);
    if (message !== undefined) return new PipelineError("MACHINE_NOT_USABLE", message, { cause: error });
  }
  return undefined;
}

/**
 * The fault of failed work. If the work was cancelled, the fault is the cancellation, not the error of an abandoned
 * call. If a fault of the machine caused the error, it is that fault.
 */
export function faultOfWork(signal: AbortSignal, error: unknown): unknown {
  const isByAbort = isAbort(error) || (error instanceof PipelineError && error.kind === "unavailable");
  if (signal.aborted && isByAbort) return cancelled(signal);
  return machineFault(error) ?? error;
}

/** The system's error if this process cannot open more files. Libraries often hide it. */
export function openFilesError(): Error | undefined {
  try {
    closeSync(openSync(devNull, "r"));
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function* causesOf(error: unknown): Generator {
  const seen = new Set();
  const waiting = [error];
  for (const one of waiting) {
    if (typeof one !== "object" || one === null || seen.has(one)) continue;
    seen.add(one);
    yield one;
    if ("cause" in one) waiting.push(one.cause);
    if (one instanceof AggregateError) waiting.push(...(one.errors as unknown[]));
  }
}

/** The messages of DuckDB, C++ and Node. The patterns match from the start, so that a value in a message does not match. */
const NO_FILES = /^(?:IO|HTTP) Error: [^\n]*: Too many open files/;
const NO_MEMORY =
  /^(?:[\w ]+ Error: )?std::bad_alloc|^(?:Failed to allocate memory|Array buffer allocation failed)|^Out of Memory Error: (?:Allocation failure|[^\n]*\(bad allocation\))/;
const NO_THREAD = /^(?:[\w ]+ Error: )?(?:[^\n"']*thread[^\n"']*: )?Resource temporarily unavailable/;
const NO_PROCESS = /^spawn \S+ EAGAIN/;
/** The messages of packages with native code, which have no error code. */
const NO_NATIVE_CODE = /^(?:No native build was found|Error loading duckdb native binding)/;
/** The system's messages about an existing library. */
const NO_MEMORY_FOR_LIBRARY = /failed to map segment|cannot allocate memory/i;

function remedyOf(error: unknown): string | undefined {
  const code = systemCodeOf(error) ?? "";
  const message = messageOf(error);
  const said = message.split("\n", 1)[0] ?? message;
  if (code === "ENFILE") {
    return `the machine has too many open files: ${said}; stop other programs or raise fs.file-max, and run again`;
  }
  if (code === "EMFILE" || NO_FILES.test(message)) {
    return (
      `this process may open only ${openFilesLimit()} files (ulimit -n): ${said}; ` +
      `raise the limit to ${ENOUGH_FILES.toString()} or more ('ulimit -n', LimitNOFILE= of systemd, --ulimit of Docker), and run again`
    );
  }
  if (
    (code === "ERR_DLOPEN_FAILED" && NO_MEMORY_FOR_LIBRARY.test(said)) ||
    ["ENOMEM", "ERR_WORKER_OUT_OF_MEMORY", "ERR_MEMORY_ALLOCATION_FAILED"].includes(code) ||
    NO_MEMORY.test(message)
  ) {
    return (
      `this process cannot get more memory: ${said}; ` +
      "lower DUCKDB_MEMORY_LIMIT, or raise the limit ('ulimit -v' or the container memory), and run again"
    );
  }
  if (code === "ERR_WORKER_INIT_FAILED" || NO_PROCESS.test(message) || NO_THREAD.test(message)) {
    return (
      `this process cannot start more threads or processes: ${said}; ` +
      "raise the limit ('ulimit -u', TasksMax= of systemd, --pids-limit of Docker), or lower DUCKDB_THREADS, and run again"
    );
  }
  const isNotLoaded = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND", "ERR_DLOPEN_FAILED"].includes(code);
  if (isNotLoaded || NO_NATIVE_CODE.test(said)) {
    return (
      `this installation is incomplete or made for another machine: ${said.replace(/ imported from .*/, "")}; ` +
      "run 'npm ci', which also builds the programs"
    );
  }
  return undefined;
}

/** The limit of the system. The file with it is not readable then either. */
function openFilesLimit(): string {
  const { report } = process as { report?: NodeJS.ProcessReport };
  const { userLimits } = (report?.getReport() ?? {}) as {
    readonly userLimits?: { readonly open_files?: { readonly soft: number | string } };
  };
  return String(userLimits?.open_files?.soft ?? "a few");
}
