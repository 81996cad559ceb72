import type { Argv } from "yargs";
import { PipelineError } from "../base/errors.js";
import type { Gate } from "../run/context.js";
import type { RunRequest } from "../run/run.js";
import { readChangeLimit, type ChangeLimit } from "../settings/change-limit.js";
import type { Settings } from "../settings/settings.js";

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** 24 days. Timers can hold almost a day more, and no longer. */
const LONGEST = 24 * 24 * MILLISECONDS.h;

/** The options of every command that runs something. */
export interface RunOptions {
  wait: string;
  "keep-staged": boolean;
  notify?: string | undefined;
}

/** The options that limit what a publish may replace. */
export interface GateOptions {
  "max-changed"?: string | undefined;
  "ignore-toss-ups"?: boolean | undefined;
  approve?: boolean | undefined;
  "replace-version"?: boolean | undefined;
}

/** The option of every command that writes an execution date. */
export interface FutureOption {
  "allow-future": boolean;
}

/** The heading of required options in the help. */
export const REQUIRED = "Required:";

/** The option that every command about one execution date takes. */
export const executionDateOption = {
  alias: "e",
  type: "string",
  demandOption: true,
  requiresArg: true,
  group: REQUIRED,
  describe: "Execution date in UTC, for example 2020-05-29",
} as const;

/** The option of every command that writes an execution date. */
export const allowFutureOption = {
  type: "boolean",
  default: false,
  describe: "Accept a date more than 24 hours in the future",
} as const;

/**
 * The request for a run, made from the options of a command.
 * @throws PipelineError INVALID_USAGE.
 */
export function requestOf(
  options: RunOptions & GateOptions,
  settings: Settings,
): Pick<RunRequest, "gate" | "keepStaged" | "replacesVersion" | "waitMilliseconds"> {
  return {
    waitMilliseconds: parseDuration(options.wait, "--wait"),
    keepStaged: options["keep-staged"],
    gate: gateOf(options, settings),
    replacesVersion: options["replace-version"],
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
      throw new PipelineError("INVALID_USAGE", `${option} needs --max-changed or MAX_CHANGED`);
  return undefined;
}

/** Adds the options of every command that runs something. */
export function runOptions<Options>(yargs: Argv<Options>): Argv<Options & RunOptions> {
  return yargs
    .option("wait", {
      type: "string",
      default: "0s",
      requiresArg: true,
      describe: "Wait for a running run of the same date (90s, 10m, 2h)",
    })
    .option("keep-staged", {
      type: "boolean",
      default: false,
      describe: "Keep staged files if the run fails",
    })
    .option("notify", {
      type: "string",
      requiresArg: true,
      describe: "Post notifications to this Slack webhook; or NOTIFY_URL",
    });
}

/** Adds the options of every command that publishes. */
export function gateOptions<Options>(yargs: Argv<Options>): Argv<Options & GateOptions> {
  return yargs
    .option("max-changed", {
      type: "string",
      requiresArg: true,
      describe: "Do not publish if more answers change (5 or 10%); or MAX_CHANGED",
    })
    .option("ignore-toss-ups", {
      type: "boolean",
      describe: "Do not count toss-ups for --max-changed; or IGNORE_TOSS_UPS",
    })
    .option("approve", { type: "boolean", describe: "Publish even if --max-changed is exceeded" })
    .option("replace-version", {
      type: "boolean",
      describe: "Publish even if another SQL version published the date",
    });
}

/**
 * The settings of a command that runs something. Its options override them.
 * @throws PipelineError INVALID_SETTINGS or INVALID_USAGE.
 */
export async function readRunSettings({ notify }: Pick<RunOptions, "notify">): Promise<Settings> {
  const { isHook, readSettings } = await import("../settings/settings.js");
  const settings = readSettings();
  if (notify === undefined) return settings;
  // The value is a secret and must not be printed.
  if (!isHook(notify))
    throw new PipelineError(
      "INVALID_USAGE",
      "--notify must be http://… or https://…, without a user and a password",
    );
  return { ...settings, notifyUrl: notify };
}

/**
 * Reads `500ms`, `90s`, `10m` or `2h`.
 * @param option the name of the option for the message, for example `--wait`.
 * @returns milliseconds.
 * @throws PipelineError INVALID_USAGE for any other text, and for more than 24 days.
 */
export function parseDuration(text: string, option: string): number {
  const [, amount, unit] = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  if (milliseconds <= LONGEST) return milliseconds;
  throw new PipelineError(
    "INVALID_USAGE",
    `${option} ${text} is not a valid duration. Use for example 500ms, 90s, 10m or 2h`,
  );
}

/**
 * Reads a limit for changed answers: `5`, or `10%` of the previous answers.
 * @throws PipelineError INVALID_USAGE
 */
export function parseMaxChanged(text: string): ChangeLimit {
  const limit = readChangeLimit(text);
  if (limit !== undefined) return limit;
  throw new PipelineError(
    "INVALID_USAGE",
    `--max-changed ${JSON.stringify(text)} is not valid. Use a number of answers such as 5, or a share such as 10%`,
  );
}
