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
import { rawFormatOf } from "../raw/inspect.js";
import { hasPathPattern, literal, pathPattern } from "../sql-literal.js";
import { executionDateOfKey } from "../voucher/execution-date.js";
import type { Zones } from "../zones/open.js";
import { partitionFile, type Zone, type ZoneFile } from "../zones/zone.js";

/** The files that a variable of a view lists, sorted by path. */
export interface ViewFiles {
  readonly view: string;
  readonly variable: string;
  readonly files: readonly ZoneFile[];
  /** For partitions, the execution date of the last one: `2020-05-29T00:00:00Z`. */
  readonly newest?: string | undefined;
}

/** What a view is over. */
export interface Holding {
  readonly view: string;
  /** `2 partitions`, `1 file`. */
  readonly holds: string;
  /** The newest execution date; empty where there is none. */
  readonly newest: string;
}

/** Lists what the views of the shell are over. A file that cannot be read is left out, with a warning. */
export async function findViewFiles(
  models: readonly Model[],
  zones: Zones,
  warn: (message: string) => void,
): Promise<ViewFiles[]> {
  const readable = async (zone: Zone, folder: string) =>
    (await zone.list(folder)).filter(({ uri, problem }) => {
      const fault =
        problem ?? (hasPathPattern(uri) ? undefined : "its path has a backslash beside a wildcard");
      if (fault !== undefined) warn(`${uri} is left out: ${fault}`);
      return fault === undefined;
    });
  const found = await Promise.all(
    models.map(async (model) => {
      if (isRaw(model)) return rawFiles(model, await readable(zones.raw, model.header.folder));
      return isWritten(model) ? [partitions(model, await readable(zones[model.layer], model.table))] : [];
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

/** What each view is over, for a person. */
export function holdingsOf(found: readonly ViewFiles[]): Holding[] {
  const views = [...new Set(found.map(({ view }) => view))];
  return views.map((view) => {
    const ofView = found.filter((one) => one.view === view);
    const count = ofView.reduce((sum, { files }) => sum + files.length, 0);
    const what = ofView.some((one) => "newest" in one) ? "partition" : "file";
    const newest = ofView.map((one) => one.newest ?? "").join("");
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

function partitions(model: WrittenModel, files: readonly ZoneFile[]): ViewFiles {
  const isPartition = (file: ZoneFile) => executionDateOfFile(model, file) !== undefined;
  const found = files.filter(isPartition);
  const last = found.at(-1);
  return {
    view: viewOf(model),
    variable: partitionsVariable(model),
    files: found,
    newest: last && executionDateOfFile(model, last)?.iso,
  };
}

function executionDateOfFile({ table }: WrittenModel, { path }: ZoneFile) {
  const [, partitionKey = ""] = /\/execution_date=([^/]*)\/[^/]*$/.exec(path) ?? [];
  const isPlace = path === partitionFile({ table, partitionKey });
  return isPlace ? executionDateOfKey(partitionKey) : undefined;
}
