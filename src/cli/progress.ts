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
  // A terminal without a width, as some schedulers give, cannot be drawn on.
  if (!process.stderr.isTTY || process.stderr.columns === 0) return work();
  // Loaded here, because most runs have no terminal.
  const { default: ora } = await import("ora");
  // Node knows what a terminal can do, and NO_COLOR.
  const color = process.stderr.hasColors() ? "cyan" : false;
  const spinner = ora({ stream: process.stderr, discardStdin: false, text: "starting", color }).start();
  const timer = setInterval(() => {
    const percent = activity.percent() ?? 0;
    const steps = activity.steps.length > 0 ? activity.steps.join(", ") : "working";
    spinner.text = steps + (percent > 0 ? ` ${Math.floor(percent).toString()} %` : "");
  }, REFRESH_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    spinner.stop();
  }
}
