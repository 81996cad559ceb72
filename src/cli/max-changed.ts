import { PipelineError } from "../base/errors.js";
import type { Gate } from "../run/context.js";

/**
 * Reads how many answers may change: `5`, or `10%` of those that there were.
 * @throws PipelineError INVALID_USAGE
 */
export function parseMaxChanged(text: string): Gate["maxChanged"] {
  const [, digits = "", percent] = /^(\d{1,9}(?:\.\d{1,3})?)(%)?$/.exec(text) ?? [];
  const number = Number(digits);
  const isShare = percent !== undefined;
  if (digits !== "" && isShare && number <= 100) return { share: number / 100 };
  if (digits !== "" && !isShare && Number.isInteger(number)) return { answers: number };
  throw new PipelineError(
    "INVALID_USAGE",
    `--max-changed must be a number of answers, as 5, or a share of them, as 10%; it is ${JSON.stringify(text)}`,
  );
}
