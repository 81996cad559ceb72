import type { Argv, CommandModule } from "yargs";
import type { RunReport, Stage } from "../pipeline/report.js";
import type { Cancellation } from "./cancel.js";
import { parseDuration } from "./duration.js";
import { print, printWarning } from "./output.js";

/** What every command that runs stages takes. */
export interface RunArguments {
  "execution-date": string;
  json: boolean;
  wait: string;
  "keep-staged": boolean;
}

/** The option that every command about one execution date takes. */
export const executionDateOption = {
  alias: "e",
  type: "string",
  demandOption: true,
  requiresArg: true,
  describe: "The moment the run stands at, in UTC: 2020-05-29T00:00:00",
} as const;

/** Runs stages for one execution date, showing on a terminal how far they are. */
export async function runStages(
  stages: readonly Stage[],
  options: RunArguments,
  signal: AbortSignal,
): Promise<RunReport> {
  // Loaded here, so that --help need not wait for the engine.
  const [{ runPipeline }, { RunActivity }, { readSettings }, { parseExecutionDate }, { showingProgress }] =
    await Promise.all([
      import("../pipeline/run.js"),
      import("../pipeline/activity.js"),
      import("../settings.js"),
      import("../voucher/execution-date.js"),
      import("./progress.js"),
    ]);
  const request = {
    executionDate: parseExecutionDate(options["execution-date"]),
    stages,
    waitMilliseconds: parseDuration(options.wait, "--wait"),
    keepStaged: options["keep-staged"],
  };
  const settings = readSettings();
  const activity = new RunActivity();
  try {
    return await showingProgress(activity, () => runPipeline(settings, request, signal, activity));
  } finally {
    activity.warnings.forEach(printWarning);
  }
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
      yargs
        .option("execution-date", executionDateOption)
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
        .option("json", { type: "boolean", default: false, describe: "Print the report as JSON" })
        .example(`$0 ${command[0]} -e 2020-05-29T00:00:00`, describe),
    handler: async (options) => {
      const report = await runStages(stages, options, cancellation.signal);
      const { summaryOf } = await import("./summary.js");
      print(options.json ? JSON.stringify(report, null, 2) : summaryOf(report));
    },
  };
}
