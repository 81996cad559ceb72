import type { RunActivity } from "../run/activity.js";
import { openedLog } from "./opened-log.js";

const REFRESH_MILLISECONDS = 200;

/** Which steps of a run are under way, and how far they are. */
export function stepsInWords(activity: RunActivity): string {
  const percent = activity.percent() ?? 0;
  const steps = activity.steps.length > 0 ? activity.steps.join(", ") : "working";
  return steps + (percent > 0 ? ` ${Math.floor(percent).toString()} %` : "");
}

/**
 * Shows on a terminal how far some work is, until it ends; says nothing where standard error is not a terminal, or
 * has the log.
 * @param progress is asked again and again.
 */
export async function showingProgress<Result>(
  progress: () => string,
  work: () => Promise<Result>,
): Promise<Result> {
  // A terminal without a width, as some schedulers give, cannot be drawn on.
  if (!process.stderr.isTTY || process.stderr.columns === 0 || openedLog() !== undefined) return work();
  // Loaded here, because most runs have no terminal.
  const { default: ora } = await import("ora");
  // Node knows what a terminal can do, and NO_COLOR.
  const color = process.stderr.hasColors() ? "cyan" : false;
  const spinner = ora({
    stream: process.stderr,
    discardStdin: false,
    // To show the cursor again it would listen to signals, and then kill the process before the run has ended cleanly.
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
