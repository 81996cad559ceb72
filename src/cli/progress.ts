import type { RunActivity } from "../run/activity.js";
import { openedLog } from "./opened-log.js";

const REFRESH_MILLISECONDS = 200;

/** The current steps of a run, and their progress. */
export function stepsInWords(activity: RunActivity): string {
  const percent = activity.percent() ?? 0;
  const steps = activity.steps.length > 0 ? activity.steps.join(", ") : "working";
  return steps + (percent > 0 ? ` ${Math.floor(percent).toString()} %` : "");
}

/**
 * Shows the progress of some work on a terminal, until it ends. It shows nothing if standard error is not a terminal,
 * or has the log.
 * @param progress is called repeatedly.
 */
export async function showingProgress<Result>(
  progress: () => string,
  work: () => Promise<Result>,
): Promise<Result> {
  // A terminal without a width, which some schedulers provide, does not support drawing.
  if (!process.stderr.isTTY || process.stderr.columns === 0 || openedLog() !== undefined) return work();
  // Loaded here, because most runs have no terminal.
  const { default: ora } = await import("ora");
  // Node knows the abilities of a terminal, and NO_COLOR.
  const color = process.stderr.hasColors() ? "cyan" : false;
  const spinner = ora({
    stream: process.stderr,
    discardStdin: false,
    // With a hidden cursor, ora listens to signals to show it again, and then kills the process before the run has
    // ended cleanly.
    hideCursor: false,
    text: "starting",
    color,
  }).start();
  const timer = setInterval(() => {
    spinner.text = progress();
  }, REFRESH_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    spinner.stop();
  }
}
