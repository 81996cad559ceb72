import { PipelineError } from "../base/errors.js";
import type { Row } from "../engine/builder.js";
import { duckDbBuilder } from "../engine/duckdb/duckdb-engine.js";
import type { Engine } from "../engine/duckdb/duckdb-engine.js";
import { DuckDbError } from "../engine/duckdb/duckdb-errors.js";
import { withDuckDb } from "../engine/duckdb/duckdb.js";
import { isMeasure, isRaw, type Inspection, type RawModel } from "../models/model.js";
import { ignoredFilesOf, type IgnoredFiles, type SameBytes } from "../raw/file-notices.js";
import {
  faultOfReading,
  firstFault,
  footerSelects,
  groupFiles,
  lookAtColumns,
  lookForRawFiles,
} from "../raw/inspect-raw.js";
import { faultOfFile, type Findings, type RawFault } from "../raw/raw-faults.js";
import { type InspectedFile, columnsOf, type RawShape } from "../raw/raw-file.js";
import { findSameBytes } from "../raw/same-bytes.js";
import {
  BY_REASON,
  BY_REASON_AND_COUNTRY,
  REJECTED_ROWS,
  rejectReasonsOf,
  type RejectReason,
} from "../record/row-counts.js";
import type { RunActivity } from "../run/activity.js";
import { assertSelectsOf, makeFunctions, naming } from "../run/build.js";
import type { RunContext } from "../run/context.js";
import { planRun, renderInspection, renderModel } from "../run/plan.js";
import { planInput } from "../run/raw-input.js";
import type { Settings } from "../settings/settings.js";
import { parseExecutionDate } from "../voucher/execution-date.js";
import type { ZoneFile } from "../zones/zone.js";
import { looking } from "./looking.js";

/** The result of inspecting the raw files. */
export interface InspectionReport {
  readonly raw_zone: string;
  /** By model and path. */
  readonly files: readonly InspectedRawFile[];
  /** Files that a run would not read because of their names. */
  readonly ignored_files: IgnoredFiles;
  /** Files with the same bytes; a run would count the rows of all of them. */
  readonly same_bytes: readonly SameBytes[];
  /** The rows of all readable files, and the reasons why a run would reject some of them. */
  readonly rejected: RejectedOnInspection;
}

/** The rows that a run would reject, at any execution date. */
export interface RejectedOnInspection {
  readonly rows_read: number;
  readonly rejected: number;
  /** Whether the share of rejected rows exceeds MAX_REJECTED_SHARE, so that a run would fail. */
  readonly is_too_many: boolean;
  readonly reasons: readonly RejectReason[];
}

/** An inspected raw file. */
export interface InspectedRawFile {
  readonly model: string;
  /** Below the raw zone. */
  readonly path: string;
  readonly bytes: number;
  /** Null if they are not readable. */
  readonly columns: RawShape["columns"] | null;
  /** The row from the model's inspection; null if the file is faulty, or the model has no inspection. */
  readonly contents: Row | null;
  /** The reasons why a run could not read the file; none if it could. */
  readonly faults: readonly string[];
}

type InspectionContext = Pick<
  RunContext,
  "activity" | "executionDate" | "settings" | "signal" | "version" | "zones"
>;

/** Templates need a date, but the content of a file is the same at every date. */
const ANY_DATE = parseExecutionDate("2000-01-01");

/**
 * Inspects each raw file alone: its columns, and its rows by the inspection of its model. An unreadable file is
 * reported with the reason, and does not stop the others. Changes nothing.
 * @throws PipelineError RAW_ZONE_EMPTY if there are none, MODEL_FAILED if the inspection itself is faulty.
 */
export function inspectRawZone(
  settings: Settings,
  signal: AbortSignal,
  activity: RunActivity,
): Promise<InspectionReport> {
  return looking(settings, signal, async (opened) => {
    const version = await opened.sql();
    const zones = await opened.zones();
    const temporary = await opened.folder();
    // DuckDB inspects, also if ENGINE names a cluster.
    const alone: Settings = { ...settings, engine: { kind: "duckdb" } };
    const context = { activity, executionDate: ANY_DATE, settings: alone, signal, version, zones };
    const files: InspectedRawFile[] = [];
    const ignored: ZoneFile[] = [];
    const sameBytes: SameBytes[] = [];
    const reasons: RejectReason[] = [];
    for (const model of version.models.filter(isRaw)) {
      const found = await lookForRawFiles(zones.raw, model);
      ignored.push(...found.ignored);
      sameBytes.push(...(await findSameBytes(zones.raw, found.results)));
      const inspected = await inspectModel(context, model, found, temporary);
      files.push(...inspected.files);
      reasons.push(...inspected.reasons);
    }
    const [rowsRead, rejected] = [sumOf(files, "rows_read"), sumOf(files, "rejected")];
    return {
      raw_zone: zones.raw.root,
      files,
      ignored_files: ignoredFilesOf(ignored),
      same_bytes: sameBytes,
      rejected: {
        rows_read: rowsRead,
        rejected,
        is_too_many: rejected / rowsRead > Number(settings.maxRejectedShare),
        reasons,
      },
    };
  });
}

/** The sum of one count of the inspections, over all files. */
function sumOf(files: readonly InspectedRawFile[], name: string): number {
  return files.reduce((sum, { contents }) => sum + Number(contents?.[name] ?? 0), 0);
}

/** @param folder for copies of raw files. */
async function inspectModel(
  context: InspectionContext,
  model: RawModel,
  found: Findings<ZoneFile>,
  folder: string,
): Promise<{ files: InspectedRawFile[]; reasons: RejectReason[] }> {
  const { activity, settings, signal, version, zones } = context;
  const files = withoutFault(found, ({ path }) => path);
  const reach = { directories: [folder], files: files.map(({ uri }) => uri) };
  const session = { settings: settings.duckdb, s3: zones.s3, reach, signal, warn: activity.warn };
  const withEngine: WithEngine = (use) => withDuckDb(session, use);
  const looked = await withEngine((engine) =>
    activity.during("columns", () => lookAtColumns(engine, withEngine, zones.raw, model, files, folder)),
  );
  const readable = withoutFault(looked, ({ file }) => file.path);
  const inspection = version.inspections.get(model.name);
  const read =
    inspection === undefined
      ? NOTHING_READ
      : await readEach({ ...context, withEngine }, model, inspection, readable);
  const faults = [...found.faults, ...looked.faults, ...read.faults];
  const columns = new Map(looked.results.map((one) => [one.file.path, columnsOf(one)]));
  const rejecting = readable.filter(
    ({ file }) => Number(read.contents.get(file.path)?.["rejected"] ?? 0) > 0,
  );
  return {
    reasons: rejecting.length === 0 ? [] : await reasonsIn({ ...context, withEngine }, model, rejecting),
    files: found.results.map(({ path, bytes }) => ({
      model: model.name,
      path,
      bytes,
      columns: columns.get(path) ?? null,
      contents: read.contents.get(path) ?? null,
      faults: faults.filter((fault) => fault.path === path).map(({ reason }) => reason),
    })),
  };
}

/** The reasons for rejected rows of readable files, from the models of a run. */
function reasonsIn(
  context: InspectionContext & { readonly withEngine: WithEngine },
  model: RawModel,
  files: readonly InspectedFile[],
): Promise<RejectReason[]> {
  const { activity, version, withEngine, zones } = context;
  const parts = new Map([[model.name, groupFiles(files, model.header.reads, zones.raw.root)]]);
  const { functions, steps } = planRun(version, planInput(context, parts));
  const told = steps.filter(({ model: { name } }) =>
    [REJECTED_ROWS, BY_REASON, BY_REASON_AND_COUNTRY].includes(name),
  );
  return withEngine((engine) =>
    activity.during("rejected rows", async () => {
      const builder = duckDbBuilder(engine);
      await makeFunctions(builder, functions);
      const select = renderModel(version, model, planInput(context, parts));
      await naming(model.file, () => engine.assertSelects(select));
      await engine.createView(model.name, select);
      const measures: Record<string, Row[]> = {};
      for (const step of told) {
        await assertSelectsOf(builder, step);
        await naming(step.model.file, () => engine.createTable(step.model.name, step.rendered.sql));
        if (isMeasure(step.model)) measures[step.model.name] = await engine.rows(`FROM ${step.model.name}`);
      }
      return rejectReasonsOf({ measures });
    }),
  );
}

/** The results of faultless files. */
function withoutFault<Result>(
  { results, faults }: Findings<Result>,
  pathOf: (result: Result) => string,
): Result[] {
  const faulty = new Set(faults.map(({ path }) => path));
  return results.filter((result) => !faulty.has(pathOf(result)));
}

/** Opens an engine, uses it, and closes it. */
type WithEngine = <Result>(use: (engine: Engine) => Promise<Result>) => Promise<Result>;

interface Contents {
  /** By path. */
  readonly contents: ReadonlyMap<string, Row>;
  readonly faults: readonly RawFault[];
}

const NOTHING_READ: Contents = { contents: new Map(), faults: [] };

/** Reads files one by one. After a file that broke an engine, it uses a new one. */
async function readEach(
  context: InspectionContext & { readonly withEngine: WithEngine },
  model: RawModel,
  inspection: Inspection,
  files: readonly InspectedFile[],
): Promise<Contents> {
  const { activity, version, withEngine, zones } = context;
  const contents = new Map<string, Row>();
  const faults: RawFault[] = [];
  const waiting = [...files];
  activity.percent = () => (100 * (files.length - waiting.length)) / files.length;
  const input = planInput(context, new Map());
  const select = renderInspection(version, inspection, input);
  while (waiting.length > 0) {
    await withEngine(async (engine) => {
      await makeFunctions(duckDbBuilder(engine), planRun(version, input).functions);
      await naming(inspection.file, () => engine.assertSelects(select));
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { file } = next;
        const ofOne = groupFiles([next], model.header.reads, zones.raw.root);
        const parts = new Map([[model.name, ofOne]]);
        const ofFile = renderModel(version, model, planInput(context, parts));
        await naming(model.file, () => engine.assertSelects(ofFile));
        const footers = ofOne.flatMap(footerSelects);
        const read = await activity.during(
          file.path,
          async () => (await firstFault(engine, footers)) ?? readOne(engine, model, ofFile, select),
        );
        if (!(read instanceof DuckDbError)) {
          contents.set(file.path, read);
          continue;
        }
        faults.push(faultOfFile(file.path, read));
        if (read.isFatal) return;
      }
    });
  }
  return { contents, faults };
}

/**
 * @param ofFile gives the rows of one file.
 * @returns the row of the inspection, or the reason why the file is not readable.
 */
async function readOne(
  engine: Engine,
  model: RawModel,
  ofFile: string,
  inspection: string,
): Promise<Row | DuckDbError> {
  try {
    await engine.createView(model.name, ofFile);
    const [row = {}] = await engine.rows(inspection);
    return row;
  } catch (error) {
    if (!(error instanceof DuckDbError)) throw error;
    const fault = error.isFatal ? error : await faultOfReading(engine, ofFile);
    if (fault !== undefined) return fault;
    throw new PipelineError("MODEL_FAILED", `the inspection of ${model.name}: ${error.message}`, {
      cause: error,
    });
  }
}
