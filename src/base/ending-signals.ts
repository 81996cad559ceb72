import { hasNativeCalls } from "./concurrency.js";
import { EXIT_CODES, endNow, type ExitCode } from "./exit-codes.js";
import { npmScript } from "./this-process.js";

/** The signals that end a process cleanly. */
export const ENDING_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** npm passes Ctrl-C on to its script, and the terminal has already done so: both are one Ctrl-C. */
const REPEATED_BY_NPM_MILLISECONDS = 1_000;

/**
 * Listens to the signals that end a process, until the process ends. The listeners stay: if none is left, a signal kills the process.
 * @param isFirst whether no signal came before.
 */
export function onEndingSignals(hear: (signal: EndingSignal, isFirst: boolean) => void): void {
  const isUnderNpm = npmScript() !== undefined;
  let last: { readonly signal: EndingSignal; readonly at: number } | undefined;
  for (const signal of ENDING_SIGNALS) {
    process.on(signal, () => {
      const at = performance.now();
      const isRepeated = isUnderNpm && last?.signal === signal && at - last.at < REPEATED_BY_NPM_MILLISECONDS;
      const isFirst = last === undefined;
      last = { signal, at };
      if (!isRepeated) hear(signal, isFirst);
    });
  }
}

/** Ends the process now, with the exit code of a signal, or by the signal itself if a native call would delay the end. */
export function endAtOnce(signal: EndingSignal): void {
  const code = EXIT_CODES[signal];
  if (hasNativeCalls()) {
    replaceProcess(code);
    process.removeAllListeners(signal);
    // It does not end the first process of a container, which waits for the call.
    process.kill(process.pid, signal);
  }
  endNow(code);
}

/** Replaces the process with one that only exits with a code, if this Node can: from version 22.15 on. */
function replaceProcess(code: ExitCode): void {
  const { execve } = process as { execve?: (file: string, args: string[], environment: object) => void };
  const script = `process.exit(${code.toString()})`;
  execve?.(process.execPath, [process.execPath, "--eval", script], {});
}
