import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { textTable } from "../../base/text-table.js";
import { counting } from "../../base/words.js";
import type { BackfillActivity } from "../../run/backfill/backfill-activity.js";
import {
  ORDERS,
  SELECTIONS,
  type BackfilledDate,
  type BackfillReport,
  type Order,
  type Selection,
} from "../../run/backfill/backfill-report.js";
import type { Cancellation } from "../cancel.js";
import { openedLog } from "../opened-log.js";
import { print, printWarning } from "../output.js";
import {
  allowFutureOption,
  gateOptions,
  readRunSettings,
  requestOf,
  runOptions,
  type FutureOption,
  type GateOptions,
  type RunOptions,
} from "../run-options.js";

interface BackfillArguments extends RunOptions, GateOptions, FutureOption {
  from: string;
  to: string;
  only: Selection;
  order: Order;
  "max-parallel": number;
  "continue-on-error": boolean;
  anew: boolean;
  json: boolean;
}

/** More would have too little memory each. */
const MOST_PARALLEL = 16;
const BAR_WIDTH = 24;

/** The command that runs many execution dates. */
export function backfillCommand(cancellation: Cancellation): CommandModule<object, BackfillArguments> {
  return {
    command: "backfill",
    describe: "Run the execution dates of a range, a day apart; goes on where it stopped",
    builder: (yargs: Argv) =>
      gateOptions(runOptions(yargs))
        .option("from", {
          type: "string",
          demandOption: true,
          requiresArg: true,
          describe: "The first execution date",
        })
        .option("to", {
          type: "string",
          demandOption: true,
          requiresArg: true,
          describe: "The last execution date",
        })
        .option("allow-future", allowFutureOption)
        .option("only", {
          choices: SELECTIONS,
          default: "missing" as const,
          describe:
            "Which of them: not published yet, the last run failed, made from raw files that have changed, or all",
        })
        .option("order", {
          choices: ORDERS,
          default: "oldest-first" as const,
          describe: "Which dates come first",
        })
        .option("max-parallel", {
          type: "number",
          default: 1,
          requiresArg: true,
          describe: "How many dates are run at the same time; they share the memory",
        })
        .option("continue-on-error", {
          type: "boolean",
          default: false,
          describe: "Run the others where a date fails",
        })
        .option("anew", {
          type: "boolean",
          default: false,
          describe: "Begin again, also where the same backfill stopped before its end",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the report as JSON" })
        .example("$0 backfill --from 2020-03-01 --to 2020-05-29", "Publish the days that are missing")
        .example(
          "$0 backfill --from 2020-03-01 --to 2020-05-29 --only stale --continue-on-error",
          "Run again what was made from raw files that have changed",
        ),
    handler: async (options) => {
      const [{ backfill }, { BackfillActivity: Activity }, { parseDateToWrite }, progress] =
        await Promise.all([
          import("../../run/backfill/backfill.js"),
          import("../../run/backfill/backfill-activity.js"),
          import("../../voucher/execution-date.js"),
          import("../progress.js"),
        ]);
      const dateOf = (text: string) => parseDateToWrite(text, { allowsFuture: options["allow-future"] });
      const settings = await readRunSettings(options);
      const request = {
        ...requestOf(options, settings),
        from: dateOf(options.from),
        to: dateOf(options.to),
        only: options.only,
        order: options.order,
        maxParallel: parseMaxParallel(options["max-parallel"]),
        continueOnError: options["continue-on-error"],
        anew: options.anew,
      };
      const log = openedLog();
      const activity = new Activity(log);
      cancellation.steps = () => activity.shared.steps;
      const { report, fault } = await progress.showingProgress(
        () => barOf(activity) ?? progress.stepsInWords(activity.shared),
        () => backfill(settings, request, cancellation.signal, activity),
      );
      // A log has had them as they came, and for machines they are in the JSON.
      if (log === undefined && !options.json) {
        activity.shared.warnings.forEach(printWarning);
        warningsOf(report.dates).forEach(printWarning);
      }
      print(options.json ? JSON.stringify(report, null, 2) : describe(report));
      if (fault !== undefined) throw fault;
    },
  };
}

/** What is the same for many dates is told once, with the first of them. */
function warningsOf(dates: readonly BackfilledDate[]): string[] {
  const datesOf = new Map<string, string[]>();
  for (const { execution_date, warnings } of dates)
    for (const warning of warnings) datesOf.set(warning, [...(datesOf.get(warning) ?? []), execution_date]);
  return [...datesOf].map(([warning, [first = "", ...others]]) => {
    const more = others.length > 0 ? ` and ${counting(others.length, "more date")}` : "";
    return `${first}${more}: ${warning}`;
  });
}

function parseMaxParallel(number: number): number {
  if (Number.isInteger(number) && number >= 1 && number <= MOST_PARALLEL) return number;
  throw new PipelineError(
    "INVALID_USAGE",
    `--max-parallel must be a whole number from 1 to ${MOST_PARALLEL.toString()}`,
  );
}

/** `█████░░░░░ 12 of 90 dates, 2020-03-13T00:00:00Z, 40 s left`; undefined until a date is run. */
function barOf({ dates, millisecondsLeft }: BackfillActivity): string | undefined {
  const underWay = dates.filter(({ state }) => state === "running");
  if (underWay.length === 0) return undefined;
  const ended = dates.filter(({ state }) => state !== "waiting" && state !== "running").length;
  const filled = Math.floor((BAR_WIDTH * ended) / dates.length);
  return [
    `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${ended.toString()} of ${dates.length.toString()} dates`,
    ...underWay.map(({ execution_date }) => execution_date),
    ...(millisecondsLeft === undefined ? [] : [`${inWords(millisecondsLeft)} left`]),
  ].join(", ");
}

/** `40 s`, `12 min`. */
function inWords(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 120 ? `${seconds.toString()} s` : `${Math.ceil(seconds / 60).toString()} min`;
}

function describe({ dates, from, only, resumed_from, seconds, to }: BackfillReport): string {
  const selected = only === "all" ? "" : `, ${only}`;
  if (dates.length === 0) return `backfill from ${from} to ${to}${selected}: no date is to be run`;
  const done = dates.filter(({ state }) => state.startsWith("done")).length;
  return [
    `backfill from ${from} to ${to}${selected}: ${done.toString()} of ${dates.length.toString()} dates done, in ${seconds.toFixed(1)} s`,
    ...(resumed_from === null ? [] : [`went on with the backfill that began ${resumed_from}`]),
    "",
    textTable(dates.map(lineOf)),
  ].join("\n");
}

function lineOf(date: BackfilledDate) {
  const { certainty, changed, error_code, execution_date, is_new, rows, run_id, seconds, state } = date;
  const published = is_new === null ? "" : is_new ? "new data" : "as it was";
  return {
    "execution date": execution_date,
    state: error_code === null ? state : `${state}: ${error_code}`,
    published,
    changed: changed ?? "",
    sure: certainty?.sure ?? "",
    likely: certainty?.likely ?? "",
    "toss-ups": certainty?.["toss-up"] ?? "",
    rows: rows ?? "",
    seconds: seconds === null ? "" : seconds.toFixed(1),
    run: run_id ?? "",
  };
}
