import { printable } from "../base/words.js";
import { readRuns } from "../consumption/recorded-runs.js";
import type { RawPart } from "../models/dialect.js";
import { isRaw } from "../models/model.js";
import { ignoredFilesOf, ignoredInWords, offClusterOf, sameBytesInWords } from "../raw/file-notices.js";
import { sameBytesAmong } from "../raw/same-bytes.js";
import { reportOf, type ColumnDrift, type RawColumns, type InputFile } from "../record/run-record.js";
import type { RunContext, RawInput } from "./context.js";
import { clusterOf } from "./raw-input.js";

/**
 * Notes the columns of the raw files, and their changes since the last successful run that read raw files. A new
 * column that no model reads is a warning. Only this run gives it, because the next one knows the column.
 */
export async function noteColumns(context: RunContext, columns: readonly RawColumns[]): Promise<void> {
  const { activity, consumption, journal, version } = context;
  if (columns.length === 0) return;
  const [last] = await readRuns(consumption, { outcome: "succeeded", stage: "curate", limit: 1 });
  const before = (last && reportOf(last)?.raw_columns) ?? [];
  const drift = driftBetween(before, columns);
  journal.note({ raw_columns: columns, drift });
  const read = new Map(version.models.filter(isRaw).map(({ name, header }) => [name, header.reads]));
  for (const change of drift) {
    const isRead = Object.hasOwn(read.get(change.model) ?? {}, change.column);
    if (change.change === "new" && !isRead) activity.warn(newColumn(change));
  }
}

/** The changes between two sets of columns, by model and column. A model without earlier columns has no changes. */
export function driftBetween(before: readonly RawColumns[], now: readonly RawColumns[]): ColumnDrift[] {
  const models = [...new Set(now.map(({ model }) => model))].sort();
  return models.flatMap((model) => {
    const ofModel = (columns: readonly RawColumns[]) => columns.filter((shape) => shape.model === model);
    return ofModel(before).length === 0 ? [] : driftOfModel(model, ofModel(before), ofModel(now));
  });
}

function driftOfModel(
  model: string,
  before: readonly RawColumns[],
  now: readonly RawColumns[],
): ColumnDrift[] {
  const [typesBefore, types] = [typesOf(before), typesOf(now)];
  const columns = [...new Set([...typesBefore.keys(), ...types.keys()])].sort();
  return columns.flatMap((column): ColumnDrift[] => {
    const [had = [], has = []] = [typesBefore.get(column), types.get(column)];
    const added = has.filter((type) => !had.includes(type));
    if (has.length > 0 && added.length === 0) return [];
    const shapes = now.filter((shape) =>
      shape.columns.some(({ name, type }) => name === column && added.includes(type)),
    );
    return [
      {
        model,
        column,
        change: had.length === 0 ? "new" : has.length === 0 ? "gone" : "retyped",
        types_before: had,
        types: has,
        files: shapes.reduce((sum, { files }) => sum + files, 0),
        first: shapes[0]?.first ?? null,
      },
    ];
  });
}

/** The types of each column over all files, sorted. */
function typesOf(shapes: readonly RawColumns[]): Map<string, string[]> {
  const types = new Map<string, Set<string>>();
  for (const { name, type } of shapes.flatMap(({ columns }) => columns))
    types.set(name, (types.get(name) ?? new Set()).add(type));
  return new Map([...types].map(([name, all]) => [name, [...all].sort()]));
}

function newColumn({ model, column, types, files, first }: ColumnDrift): string {
  const where = files === 1 ? String(first) : `${files.toString()} files, as ${String(first)}`;
  return `${model}: the column ${printable(column)} (${types.join(", ")}) is new in ${printable(where)}, and no model reads it`;
}

/** Warns of files that a run ignores because of their names, and notes them in its record. */
export function noteIgnored(
  { activity, journal }: Pick<RunContext, "activity" | "journal">,
  inputs: readonly RawInput[],
): void {
  const ignored = ignoredFilesOf(inputs.flatMap((input) => input.ignored));
  journal.note({ ignored_files: ignored });
  const sentence = ignoredInWords(ignored);
  if (sentence !== undefined) activity.warn(sentence);
}

/** Notes the input files that the cluster does not read, if there is a cluster. */
export function noteOffCluster({ journal, settings }: RunContext, parts: readonly RawPart[]): void {
  const cluster = clusterOf(settings);
  if (cluster !== undefined) journal.note({ off_cluster: offClusterOf(parts, cluster.refuses) });
}

/** Warns of input files with the same bytes, and notes them in the record of the run. */
export function noteSameBytes(
  { activity, journal }: Pick<RunContext, "activity" | "journal">,
  inputs: readonly InputFile[],
): void {
  const sameBytes = sameBytesAmong(inputs);
  journal.note({ same_bytes: sameBytes });
  const sentence = sameBytesInWords(sameBytes);
  if (sentence !== undefined) activity.warn(sentence);
}
