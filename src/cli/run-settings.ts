import { PipelineError } from "../base/errors.js";
import { isHook, readSettings, type Settings } from "../settings/settings.js";
import type { RunOptions } from "./run.js";

/**
 * The settings of a command that runs something, with what its options say of them.
 * @throws PipelineError INVALID_SETTINGS or INVALID_USAGE.
 */
export function readRunSettings({ notify }: Pick<RunOptions, "notify">): Settings {
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
