import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { endAs } from "../../base/exit-codes.js";
import type { RunReport } from "../../record/run-record.js";
import type { Stage } from "../../record/stages.js";
import type { Cancellation } from "../cancel.js";
import { openedLog } from "../opened-log.js";
import { print, printWarning } from "../output.js";
import {
  allowFutureOption,
  executionDateOption,
  gateOptions,
  parseDuration,
  readRunSettings,
  requestOf,
  runOptions,
  type FutureOption,
  type GateOptions,
  type RunOptions,
} from "../run-options.js";
import { doUnderWatch, withinTime } from "../time-limit.js";

/** The options of every command that runs stages. */
export interface RunArguments extends RunOptions, GateOptions, FutureOption {
  "execution-date": string;
  json: boolean;
  verbose: boolean;
  timeout: string | undefined;
  /** Whether a parent process kills this one if it does not stop in time. */
  watched: boolean;
}

/** A command that runs stages and prints the report. */
export function stageCommand(
  command: readonly [name: string, ...aliases: string[]],
  describe: string,
  stages: readonly Stage[],
  cancellation: Cancellation,
): CommandModule<object, RunArguments> {
  return {
    command,
    describe,
    builder: (yargs: Argv) =>
      runOptions(
        (stages.includes("publish") ? gateOptions(yargs) : yargs).option(
          "execution-date",
          executionDateOption,
        ),
      )
        .option("allow-future", allowFutureOption)
        .option("json", { type: "boolean", default: false, describe: "Print the report as JSON" })
        .option("verbose", {
          type: "boolean",
          default: false,
          describe: "Print the full record of the run instead of the summary",
        })
        .option("timeout", {
          type: "string",
          requiresArg: true,
          describe: "Cancel the run if it takes longer (90s, 10m, 2h)",
        })
        .option("watched", { type: "boolean", default: false, hidden: true })
        .example(`$0 ${command[0]} -e 2020-05-29T00:00:00`, describe.replace(" (default)", "")),
    handler: (options) => runAndTell(stages, options, cancellation),
  };
}

/** Runs stages for one execution date, shows progress on a terminal, and prints the summary. */
async function runAndTell(
  stages: readonly Stage[],
  options: RunArguments,
  cancellation: Cancellation,
): Promise<void> {
  const timeLimit = options.timeout === undefined ? undefined : parseDuration(options.timeout, "--timeout");
  if (timeLimit !== undefined && !options.watched) {
    endAs(await doUnderWatch(timeLimit, cancellation));
    return;
  }
  // Loaded here so that --help does not wait for the engine.
  const [{ runPipeline }, { RunActivity }, { parseDateToWrite }, { showingProgress, stepsInWords }] =
    await Promise.all([
      import("../../run/run.js"),
      import("../../run/activity.js"),
      import("../../voucher/execution-date.js"),
      import("../progress.js"),
    ]);
  const settings = await readRunSettings(options);
  const request = {
    executionDate: parseDateToWrite(options["execution-date"], { allowsFuture: options["allow-future"] }),
    stages,
    ...requestOf(options, settings),
  };
  const log = openedLog();
  const activity = new RunActivity(log);
  cancellation.steps = () => activity.steps;
  const run = () =>
    showingProgress(
      () => stepsInWords(activity),
      () => runPipeline(settings, request, cancellation.signal, activity),
    );
  let report: RunReport;
  try {
    report = await (timeLimit === undefined
      ? run()
      : withinTime(timeLimit, cancellation, () => activity.steps, run));
  } catch (error) {
    if (error instanceof PipelineError) error.warnings = activity.warnings;
    throw error;
  } finally {
    // The log already has them, and JSON output includes them.
    if (log === undefined && !options.json) activity.warnings.forEach(printWarning);
  }
  print(options.json ? JSON.stringify(report, null, 2) : await inWords(report, options.verbose));
}

async function inWords(report: RunReport, isVerbose: boolean): Promise<string> {
  const [{ summaryOf, textOf }, { storyOf }] = await Promise.all([
    import("../../record/terminal.js"),
    import("../../record/story.js"),
  ]);
  const run = { outcome: "succeeded", fault: undefined, report } as const;
  return isVerbose ? textOf(storyOf(run)) : summaryOf(run);
}
