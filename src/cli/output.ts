import { EXIT_CODES, endWith, exitCodeSoFar } from "../base/exit-codes.js";
import { openedLog } from "./opened-log.js";

/** Prints data to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints errors and notes to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Prints a warning. Warnings do not change the exit code. */
export function printWarning(text: string): void {
  const log = openedLog();
  if (log === undefined) printError(`warning: ${text}`);
  else log.warn(text);
}

/** Ignores a closed pipe (`| head`) or terminal. Other output faults are printed and set the exit code. */
export function surviveClosedOutput(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (hasReaderGone(process.stdout, error)) return;
    printError(`error STORAGE_FULL: cannot write the output: ${error.message}`);
    endWith(EXIT_CODES.unavailable);
  });
  // Nothing can be printed there any more.
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (!hasReaderGone(process.stderr, error) && exitCodeSoFar() === EXIT_CODES.done)
      endWith(EXIT_CODES.unavailable);
  });
}

function hasReaderGone({ isTTY }: NodeJS.WriteStream, { code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || (isTTY && code === "EIO");
}
