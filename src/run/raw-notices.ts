import { ignoredFilesOf, ignoredInWords, sameBytesAmong, sameBytesInWords } from "../raw/notices.js";
import type { InputFile } from "../record/run-record.js";
import type { RunContext } from "./context.js";
import type { RawInput } from "./raw-input.js";

/** Warns of files that a run does not read because of their names, and notes them in its record. */
export function noteIgnored(
  { activity, journal }: Pick<RunContext, "activity" | "journal">,
  inputs: readonly RawInput[],
): void {
  const ignored = ignoredFilesOf(inputs.flatMap((input) => input.ignored));
  journal.note({ ignored_files: ignored });
  const sentence = ignoredInWords(ignored);
  if (sentence !== undefined) activity.warn(sentence);
}

/** Warns of input files that hold the same bytes, and notes them in the record of the run. */
export function noteSameBytes(
  { activity, journal }: Pick<RunContext, "activity" | "journal">,
  inputs: readonly InputFile[],
): void {
  const sameBytes = sameBytesAmong(inputs);
  journal.note({ same_bytes: sameBytes });
  const sentence = sameBytesInWords(sameBytes);
  if (sentence !== undefined) activity.warn(sentence);
}
