import {
  ignoredFilesOf,
  ignoredInWords,
  ignoredLines,
  sameBytesAmong,
  sameBytesInWords,
  sameBytesLines,
} from "../raw/notices.js";
import type { InputFile, RunReport } from "../record/report.js";
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

/** What a report shows of raw files that need attention; nothing if there are none. */
export function rawNotices({
  ignored_files,
  same_bytes,
}: Pick<RunReport, "ignored_files" | "same_bytes">): { heading: string; lines: readonly string[] }[] {
  return [
    {
      heading: `raw files ignored because of their names: ${ignored_files.count.toString()}`,
      lines: ignoredLines(ignored_files),
    },
    {
      heading: "raw files with the same bytes; the rows of each of them count",
      lines: sameBytesLines(same_bytes),
    },
  ].filter(({ lines }) => lines.length > 0);
}
