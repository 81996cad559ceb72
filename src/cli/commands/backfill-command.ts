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
  REQUIRED,
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

/** With more dates in parallel, each would have too little memory. */
const MOST_PARALLEL = 16;
const BAR_WIDTH = 24;

/** The command that runs many execution dates. */
export function backfillCommand(cancellation: Cancellation): CommandModule<object, BackfillArguments> {
  return {
    command: "backfill",
    describe: "Run every execution date in a range; resumes if interrupted",
    builder: (yargs: Argv) =>
      gateOptions(runOptions(yargs))
        .option("from", {
          type: "string",
          demandOption: true,
          requiresArg: true,
          group: REQUIRED,
          describe: "First execution date of the range",
        })
        .option("to", {
          type: "string",
          demandOption: true,
          requiresArg: true,
          group: REQUIRED,
          describe: "Last execution date of the range",
        })
        .option("allow-future", allowFutureOption)
        .option("only", {
          choices: SELECTIONS,
          default: "missing" as const,
          describe: "Run only these dates (stale: raw files changed, outdated: SQL changed)",
        })
        .option("order", {
          choices: ORDERS,
          default: "oldest-first" as const,
          describe: "Order of the dates",
        })
        .option("max-parallel", {
          type: "number",
          default: 1,
          requiresArg: true,
          describe: "Run this many dates at the same time, from 1 to 16",
        })
        .option("continue-on-error", {
          type: "boolean",
          default: false,
          describe: "Run the remaining dates if a date fails",
        })
        .option("anew", {
          type: "boolean",
          default: false,
          describe: "Start over instead of resuming",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the report as JSON" })
        .example("$0 backfill --from 2020-03-01 --to 2020-05-29", "Publish the missing dates")
        .example(
          "$0 backfill --from 2020-03-01 --to 2020-05-29 --only stale --continue-on-error",
          "Renew dates whose raw files have changed",
        )
        .example(
          "$0 backfill --from 2020-03-01 --to 2020-05-29 --only outdated",
          "Renew dates after a change of SQL",
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
      // The log already has them, and JSON output includes them.
      if (log === undefined && !options.json) {
        activity.shared.warnings.forEach(printWarning);
        warningsOf(report.dates).forEach(printWarning);
      }
      print(options.json ? JSON.stringify(report, null, 2) : describe(report));
      if (fault !== undefined) throw fault;
    },
  };
}

/** Prints a warning once, even if many dates have it. */
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
  if (dates.length === 0) return `backfill from ${from} to ${to}${selected}: no date to run`;
  const done = dates.filter(({ state }) => state.startsWith("done")).length;
  return [
    `backfill from ${from} to ${to}${selected}: ${done.toString()} of ${dates.length.toString()} dates done, in ${seconds.toFixed(1)} s`,
    ...(resumed_from === null ? [] : [`resumed the backfill that started at ${resumed_from}`]),
    "",
    textTable(dates.map(lineOf)),
  ].join("\n");
}

function lineOf(date: BackfilledDate) {
  const { certainty, changed, error_code, execution_date, is_new, rows, run_id, seconds, state } = date;
  const published = is_new === null ? "" : is_new ? "new data" : "unchanged";
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
