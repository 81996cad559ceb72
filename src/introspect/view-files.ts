import { printable } from "../base/words.js";
import type { SqlVersion } from "../models/load.js";
import { isRaw, isWritten, type Model, type RawModel, type WrittenModel } from "../models/model.js";
import {
  partitionsVariable,
  RAW_ZONE_VARIABLE,
  rawFilesVariable,
  setFiles,
  setVariable,
  viewOf,
  viewsSql,
} from "../models/shell-views.js";
import { rawFormatOf } from "../raw/inspect-raw.js";
import { hasPathPattern, literal, pathPattern } from "../sql-text/literal.js";
import { executionDateOfKey } from "../voucher/execution-date.js";
import type { Zones } from "../zones/open-zones.js";
import type { FoundPartition, ZoneFile } from "../zones/zone.js";

/** The files that a variable of a view lists, sorted by path. */
export interface ViewFiles {
  readonly view: string;
  readonly variable: string;
  readonly files: readonly ZoneFile[];
  /** The partitions of the files, if they have any. */
  readonly partitions?: {
    /** Their keys, from the oldest to the newest. */
    readonly keys: readonly string[];
    /** The execution date of the last one: `2020-05-29T00:00:00Z`. */
    readonly newest: string | undefined;
  };
}

/** The files of a view. */
export interface Holding {
  readonly view: string;
  /** `2 partitions`, `1 file`. */
  readonly holds: string;
  /** The newest execution date; empty if there is none. */
  readonly newest: string;
}

/** Lists the files of the shell's views. An unreadable file is left out, with a warning. */
export async function findViewFiles(
  models: readonly Model[],
  zones: Zones,
  warn: (message: string) => void,
): Promise<ViewFiles[]> {
  const isReadable = ({ uri, problem }: ZoneFile) => {
    const fault =
      problem ?? (hasPathPattern(uri) ? undefined : "its path has a backslash together with a wildcard");
    if (fault !== undefined) warn(printable(`${uri} is skipped: ${fault}`));
    return fault === undefined;
  };
  const found = await Promise.all(
    models.map(async (model) => {
      if (isRaw(model))
        return rawFiles(model, (await zones.raw.list(model.header.folder)).filter(isReadable));
      if (!isWritten(model)) return [];
      const all = await zones[model.layer].findAll(model.table, ({ message }) => {
        warn(printable(`a partition is skipped: ${message}`));
      });
      return [
        partitions(
          model,
          all.filter(({ files }) => files.every(isReadable)),
        ),
      ];
    }),
  );
  return found.flat();
}

/** The statements that make the views over their files. */
export function viewsOver(
  found: readonly ViewFiles[],
  version: Pick<SqlVersion, "models">,
  { raw }: Pick<Zones, "raw">,
): string {
  return [
    viewsSql(version),
    setVariable(RAW_ZONE_VARIABLE, literal(raw.root)),
    ...found.map(({ variable, files }) => setFiles(variable, files.map(patternOf))),
  ].join("\n\n");
}

function patternOf({ uri }: ZoneFile): string {
  return pathPattern(uri);
}

/** The files of each view, in words. */
export function holdingsOf(found: readonly ViewFiles[]): Holding[] {
  const views = [...new Set(found.map(({ view }) => view))];
  return views.map((view) => {
    const ofView = found.filter((one) => one.view === view);
    const count = ofView.reduce((sum, one) => sum + (one.partitions?.keys.length ?? one.files.length), 0);
    const what = ofView.some((one) => one.partitions !== undefined) ? "partition" : "file";
    const newest = ofView.map((one) => one.partitions?.newest ?? "").join("");
    return { view, holds: `${count.toString()} ${what}${count === 1 ? "" : "s"}`, newest };
  });
}

function rawFiles(model: RawModel, files: readonly ZoneFile[]): ViewFiles[] {
  return (["parquet", "csv"] as const).map((format) => ({
    view: viewOf(model),
    variable: rawFilesVariable(model, format),
    files: files.filter(({ path }) => rawFormatOf(path) === format),
  }));
}

function partitions(model: WrittenModel, all: readonly FoundPartition[]): ViewFiles {
  const dateOf = ({ partition }: FoundPartition) => executionDateOfKey(partition.partitionKey);
  const found = all.filter((one) => dateOf(one) !== undefined);
  const last = found.at(-1);
  return {
    view: viewOf(model),
    variable: partitionsVariable(model),
    files: found.flatMap(({ files }) => files),
    partitions: {
      keys: found.map(({ partition }) => partition.partitionKey),
      newest: last && dateOf(last)?.iso,
    },
  };
}
