import ora from "ora";
import type { RunActivity } from "../pipeline/activity.js";

const REFRESH_MILLISECONDS = 200;

/**
 * Shows on a terminal which steps are under way and how far they are, until the work ends; says nothing where standard
 * error is no terminal.
 */
export async function showingProgress<Result>(
  activity: RunActivity,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!process.stderr.isTTY) return work();
  const spinner = ora({ stream: process.stderr, discardStdin: false, text: "starting" }).start();
  const timer = setInterval(() => {
    const percent = activity.percent() ?? 0;
    spinner.text = activity.steps.join(", ") + (percent > 0 ? ` ${Math.floor(percent).toString()} %` : "");
  }, REFRESH_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    spinner.stop();
  }
}
