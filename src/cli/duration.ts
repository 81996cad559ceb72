import { PipelineError } from "../base/errors.js";

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** 24 days. Timers can hold almost a day more, and no longer. */
const LONGEST = 24 * 24 * MILLISECONDS.h;

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
