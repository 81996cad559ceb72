import type { Argv } from "yargs";
import { PipelineError } from "../base/errors.js";
import type { Gate } from "../run/context.js";
import type { RunRequest } from "../run/run.js";
import { readChangeLimit, type ChangeLimit } from "../settings/change-limit.js";
import type { Settings } from "../settings/settings.js";

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** 24 days. Timers can hold almost a day more, and no longer. */
const LONGEST = 24 * 24 * MILLISECONDS.h;

/** How every run is done, whatever command it is of. */
export interface RunOptions {
  wait: string;
  "keep-staged": boolean;
  notify?: string | undefined;
}

/** Which changes of answers a publish lets through. */
export interface GateOptions {
  "max-changed"?: string | undefined;
  "ignore-toss-ups"?: boolean | undefined;
  approve?: boolean | undefined;
}

/** Which execution dates a command takes. */
export interface FutureOption {
  "allow-future": boolean;
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
 * What the options of a command say of its runs.
 * @throws PipelineError INVALID_USAGE.
 */
export function requestOf(
  options: RunOptions & GateOptions,
  settings: Settings,
): Pick<RunRequest, "gate" | "keepStaged" | "waitMilliseconds"> {
  return {
    waitMilliseconds: parseDuration(options.wait, "--wait"),
    keepStaged: options["keep-staged"],
    gate: gateOf(options, settings),
  };
}

function gateOf(options: GateOptions, settings: Settings): Gate | undefined {
  const { "max-changed": given, approve = false, "ignore-toss-ups": ignoresTossUps } = options;
  const maxChanged = given === undefined ? settings.maxChanged : parseMaxChanged(given);
  if (maxChanged !== undefined)
    return { maxChanged, ignoresTossUps: ignoresTossUps ?? settings.ignoreTossUps, isApproved: approve };
  for (const [option, isGiven] of Object.entries({
    "--approve": approve,
    "--ignore-toss-ups": ignoresTossUps,
  }))
    if (isGiven === true)
      throw new PipelineError("INVALID_USAGE", `${option} goes with --max-changed or MAX_CHANGED`);
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
      describe:
        "Stop before the publish if more answers would change: 5, or 10% of those there were; or MAX_CHANGED",
    })
    .option("ignore-toss-ups", {
      type: "boolean",
      describe: "Do not count answers that are a toss-up: these change by chance; or IGNORE_TOSS_UPS",
    })
    .option("approve", { type: "boolean", describe: "Let more than --max-changed through, and record it" });
}

/**
 * The settings of a command that runs something, with what its options say of them.
 * @throws PipelineError INVALID_SETTINGS or INVALID_USAGE.
 */
export async function readRunSettings({ notify }: Pick<RunOptions, "notify">): Promise<Settings> {
  const { isHook, readSettings } = await import("../settings/settings.js");
  const settings = readSettings();
  if (notify === undefined) return settings;
  // Its value is a secret, and not told.
  if (!isHook(notify))
    throw new PipelineError(
      "INVALID_USAGE",
      "--notify must be http://… or https://…, without a user and a password",
    );
  return { ...settings, notifyUrl: notify };
}

/**
 * Reads `500ms`, `90s`, `10m` or `2h`.
 * @param option the option that it was given for, as `--wait`.
 * @returns milliseconds.
 * @throws PipelineError INVALID_USAGE for any other text, and for more than 24 days.
 */
export function parseDuration(text: string, option: string): number {
  const [, amount, unit] = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  if (milliseconds <= LONGEST) return milliseconds;
  throw new PipelineError(
    "INVALID_USAGE",
    `${option} ${text} is no duration; say it as 500ms, 90s, 10m or 2h`,
  );
}

/**
 * Reads how many answers may change: `5`, or `10%` of those that there were.
 * @throws PipelineError INVALID_USAGE
 */
export function parseMaxChanged(text: string): ChangeLimit {
  const limit = readChangeLimit(text);
  if (limit !== undefined) return limit;
  throw new PipelineError(
    "INVALID_USAGE",
    `--max-changed must be a number of answers, as 5, or a share of them, as 10%; it is ${JSON.stringify(text)}`,
  );
}
