import ora from "ora";
import type { RunListener } from "../pipeline/run.js";

const REFRESH_MILLISECONDS = 200;

/** Shows on a terminal which step runs and how far it is; says nothing where standard error is no terminal. */
export function showProgress(): { listener: RunListener; stop: () => void } {
  if (!process.stderr.isTTY) return { listener: { onStep: () => undefined }, stop: () => undefined };
  const spinner = ora({ stream: process.stderr, discardStdin: false }).start();
  let step = "starting";
  let progress: () => number | undefined = () => undefined;
  const timer = setInterval(() => {
    const percent = progress();
    spinner.text = percent === undefined || percent === 0 ? step : `${step} ${Math.floor(percent).toString()} %`;
  }, REFRESH_MILLISECONDS);
  return {
    listener: {
      onStep: (name, howFar) => {
        step = name;
        progress = howFar;
        spinner.text = name;
      },
    },
    stop: () => {
      clearInterval(timer);
      spinner.stop();
    },
  };
}
