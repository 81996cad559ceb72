import { EXIT_CODES, endWith, exitCodeSoFar } from "../base/exit-codes.js";
import { openedLog } from "./opened-log.js";

/** Data goes to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What goes wrong, and all else that is no data, goes to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What a person should know, and what does not decide the exit code. */
export function printWarning(text: string): void {
  const log = openedLog();
  if (log === undefined) printError(`warning: ${text}`);
  else log.warn(text);
}

/** A reader that has gone, as after `| head`, or a terminal that was closed is no fault. Output that cannot be written is told, with an exit code. */
export function surviveClosedOutput(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (hasReaderGone(process.stdout, error)) return;
    printError(`error STORAGE_FULL: the output could not be written: ${error.message}`);
    endWith(EXIT_CODES.unavailable);
  });
  // Nothing can be told there any more.
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (!hasReaderGone(process.stderr, error) && exitCodeSoFar() === EXIT_CODES.done)
      endWith(EXIT_CODES.unavailable);
  });
}

function hasReaderGone({ isTTY }: NodeJS.WriteStream, { code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || (isTTY && code === "EIO");
}
