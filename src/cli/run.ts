import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../base/errors.js";
import { endAs } from "../base/exit-codes.js";
import type { RunReport, Stage } from "../record/run-record.js";
import type { Gate } from "../run/context.js";
import type { RunRequest } from "../run/run.js";
import type { Cancellation } from "./cancel.js";
import { parseDuration } from "./duration.js";
import { openedLog } from "./log.js";
import { parseMaxChanged } from "./max-changed.js";
import { print, printWarning } from "./output.js";
import { doUnderWatch, withinTime } from "./time-limit.js";

/** How every run is done, whatever command it is of. */
export interface RunOptions {
  wait: string;
  "keep-staged": boolean;
  notify?: string | undefined;
}

/** Which changes of answers a publish lets through. */
export interface GateOptions {
  "max-changed"?: string | undefined;
  approve?: boolean | undefined;
}

/** Which execution dates a command takes. */
export interface FutureOption {
  "allow-future": boolean;
}

/** What every command that runs stages takes. */
export interface RunArguments extends RunOptions, GateOptions, FutureOption {
  "execution-date": string;
  json: boolean;
  verbose: boolean;
  timeout: string | undefined;
  /** Whether another process of the same command ends this one where it does not stop in time. */
  watched: boolean;
}

/** The option that every command about one execution date takes. */
export const executionDateOption = {
  alias: "e",
  type: "string",
  demandOption: true,
  requiresArg: true,
  describe: "The moment the run stands at, in UTC: 2020-05-29T00:00:00",
} as const;

/** The option that every command takes whose execution dates are to be written. */
export const allowFutureOption = {
  type: "boolean",
  default: false,
  describe: "Accept an execution date more than 24 hours ahead of the clock",
} as const;

/**
 * Runs stages for one execution date, showing on a terminal how far they are.
 * @param timeLimit how many milliseconds it may take; undefined for as long as it takes.
 */
export async function runStages(
  stages: readonly Stage[],
  options: RunArguments,
  cancellation: Cancellation,
  timeLimit: number | undefined,
): Promise<RunReport> {
  // Loaded here, so that --help need not wait for the engine.
  const [
    { runPipeline },
    { RunActivity },
    { readRunSettings },
    { parseDateToWrite },
    { showingProgress, stepsInWords },
  ] = await Promise.all([
    import("../run/run.js"),
    import("../run/activity.js"),
    import("./run-settings.js"),
    import("../voucher/execution-date.js"),
    import("./progress.js"),
  ]);
  const request = {
    executionDate: parseDateToWrite(options["execution-date"], { allowsFuture: options["allow-future"] }),
    stages,
    ...requestOf(options),
  };
  const settings = readRunSettings(options);
  const log = openedLog();
  const activity = new RunActivity(log);
  cancellation.steps = () => activity.steps;
  const run = () =>
    showingProgress(
      () => stepsInWords(activity),
      () => runPipeline(settings, request, cancellation.signal, activity),
    );
  try {
    return await (timeLimit === undefined
      ? run()
      : withinTime(timeLimit, cancellation, () => activity.steps, run));
  } catch (error) {
    if (error instanceof PipelineError) error.warnings = activity.warnings;
    throw error;
  } finally {
    // A log has had them as they came, and for machines they are in the JSON.
    if (log === undefined && !options.json) activity.warnings.forEach(printWarning);
  }
}

/**
 * What the options of a command say of its runs.
 * @throws PipelineError INVALID_USAGE.
 */
export function requestOf(
  options: RunOptions & GateOptions,
): Pick<RunRequest, "gate" | "keepStaged" | "waitMilliseconds"> {
  return {
    waitMilliseconds: parseDuration(options.wait, "--wait"),
    keepStaged: options["keep-staged"],
    gate: gateOf(options),
  };
}

function gateOf({ "max-changed": maxChanged, approve = false }: GateOptions): Gate | undefined {
  if (maxChanged !== undefined) return { maxChanged: parseMaxChanged(maxChanged), isApproved: approve };
  if (approve) throw new PipelineError("INVALID_USAGE", "--approve goes with --max-changed");
  return undefined;
}

/** What commands take that run something. */
export function runOptions<Options>(yargs: Argv<Options>): Argv<Options & RunOptions> {
  return yargs
    .option("wait", {
      type: "string",
      default: "0s",
      requiresArg: true,
      describe: "How long to wait for another run of the date that is under way: 90s, 10m, 2h",
    })
    .option("keep-staged", {
      type: "boolean",
      default: false,
      describe: "Where the run fails, keep what it has staged, for inspection",
    })
    .option("notify", {
      type: "string",
      requiresArg: true,
      describe: "Where to post failures, recoveries and changed answers, as Slack takes them; or NOTIFY_URL",
    });
}

/** What the commands that publish take beside all others. */
export function gateOptions<Options>(yargs: Argv<Options>): Argv<Options & GateOptions> {
  return yargs
    .option("max-changed", {
      type: "string",
      requiresArg: true,
      describe: "Stop before the publish where more answers would change: 5, or 10% of those there were",
    })
    .option("approve", { type: "boolean", describe: "Let more than --max-changed through, and record it" });
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
          describe: "Print everything that is recorded of the run, in place of the summary",
        })
        .option("timeout", {
          type: "string",
          requiresArg: true,
          describe: "Cancel the run when it takes longer: 500ms, 90s, 10m, 2h",
        })
        .option("watched", { type: "boolean", default: false, hidden: true })
        .example(`$0 ${command[0]} -e 2020-05-29T00:00:00`, describe),
    handler: async (options) => {
      const { timeout, watched } = options;
      const timeLimit = timeout === undefined ? undefined : parseDuration(timeout, "--timeout");
      if (timeLimit !== undefined && !watched) {
        endAs(await doUnderWatch(timeLimit, cancellation));
        return;
      }
      const report = await runStages(stages, options, cancellation, timeLimit);
      print(options.json ? JSON.stringify(report, null, 2) : await inWords(report, options.verbose));
    },
  };
}

async function inWords(report: RunReport, isVerbose: boolean): Promise<string> {
  const [{ summaryOf, textOf }, { storyOf }] = await Promise.all([
    import("../record/terminal.js"),
    import("../record/story.js"),
  ]);
  const run = { outcome: "succeeded", fault: undefined, report } as const;
  return isVerbose ? textOf(storyOf(run)) : summaryOf(run);
}
