import { PipelineError } from "../base/errors.js";
import { parseSelects } from "../engine/duckdb/syntax-trees.js";
import type { RawPart } from "../models/dialect.js";
import { Sources } from "../models/lineage/sources.js";
import { traceQuery, Untraceable } from "../models/lineage/trace.js";
import type { SqlVersion } from "../models/load.js";
import { isRaw, type Model, type RawModel } from "../models/model.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { parseExecutionDate } from "../voucher/execution-date.js";
import { planRun, type Plan } from "./plan.js";

/** The sources of a model's columns. */
export interface ColumnLineage {
  /** By the name of each column, in the order of the header. */
  readonly columns: ReadonlyMap<string, Sources>;
  /** The sources that determine which rows exist, and how they are grouped and sorted. */
  readonly rows: Sources;
}

/** The lineage of every model of a version, by its name. */
export interface VersionLineage {
  readonly models: ReadonlyMap<string, ColumnLineage>;
  /** The models whose columns are not traceable, with the reason. */
  readonly untraceable: ReadonlyMap<string, string>;
  /** LINEAGE_UNKNOWN, if the engine describes a model in an unknown form. */
  readonly unknown: PipelineError | undefined;
  /** The statements that a run would send to the engine. */
  readonly plan: Plan;
}

/**
 * Traces the columns of all models to their sources, from the SQL as DuckDB parses it. It needs no raw files, because
 * the lineage is the same for all of them.
 * @throws PipelineError INVALID_MODEL for a faulty template.
 */
export async function traceColumns(
  version: SqlVersion,
  executionDate: ExecutionDate,
  maxRejectedShare: string,
  parse = parseSelects,
): Promise<VersionLineage> {
  const rawParts = new Map(version.models.filter(isRaw).map((model) => [model.name, [plainPart(model)]]));
  const plan = planRun(version, { executionDate, maxRejectedShare, rawRoot: "raw", rawParts });
  const { trees, aggregates } = await parse(plan.steps.map(({ rendered }) => rendered.sql));
  const byName = new Map(version.models.map((model) => [model.name, model]));
  const columnsOf = (name: string) => {
    const model = byName.get(name);
    return model && Object.keys(model.header.columns);
  };
  const models = new Map<string, ColumnLineage>();
  const untraceable = new Map<string, string>();
  let unknown: PipelineError | undefined;
  for (const [index, { model }] of plan.steps.entries()) {
    try {
      const tree = trees[index];
      if (tree === undefined) throw new Untraceable("DuckDB cannot parse this statement");
      models.set(
        model.name,
        lineageOf(model, traceQuery(tree, { columnsOf, aggregates, files: filesOf(model) })),
      );
    } catch (error) {
      if (isUnknown(error)) unknown ??= error;
      else if (!(error instanceof Untraceable)) throw error;
      untraceable.set(model.name, error.message);
    }
  }
  return { models, untraceable, unknown, plan };
}

function isUnknown(error: unknown): error is PipelineError {
  return error instanceof PipelineError && error.code === "LINEAGE_UNKNOWN";
}

/**
 * The lineage of every model for the data dictionary. It is the same for every execution date.
 * @throws PipelineError LINEAGE_UNKNOWN if this version of the engine does not allow the trace.
 */
export async function traceForDictionary(
  version: SqlVersion,
  parse = parseSelects,
): Promise<VersionLineage["models"]> {
  const { models, unknown } = await traceColumns(version, parseExecutionDate("2020-01-01"), "1", parse);
  if (unknown !== undefined) throw unknown;
  return models;
}

/**
 * The sources of a model's columns among some relations. Models between are traced further.
 * @param isOrigin whether a model is one of those relations. Raw models always are, through their files.
 * @returns undefined if the columns of a model in between are not traceable.
 */
export function lineageFrom(
  { models }: Pick<VersionLineage, "models">,
  model: string,
  isOrigin: (model: string) => boolean,
): ColumnLineage | undefined {
  const own = models.get(model);
  if (own === undefined) return undefined;
  if (model.startsWith("raw.")) return own;
  const read = new Map<string, ColumnLineage>();
  for (const relation of relationsOf(own)) {
    if (isOrigin(relation)) continue;
    const lineage = lineageFrom({ models }, relation, isOrigin);
    if (lineage === undefined) return undefined;
    read.set(relation, lineage);
  }
  const resolve = (relation: string, column: string) => read.get(relation)?.columns.get(column);
  return {
    columns: new Map([...own.columns].map(([column, sources]) => [column, sources.through(resolve)])),
    rows: Sources.all([
      own.rows.through(resolve),
      ...[...read.values()].map(({ rows }) => rows.withoutOrder()),
    ]),
  };
}

function relationsOf({ columns, rows }: ColumnLineage): Set<string> {
  return new Set(
    [rows, ...columns.values()].flatMap((sources) => sources.list().map(({ relation }) => relation)),
  );
}

/** An audit guarantees that a model has the columns of its header, in its order. */
function lineageOf({ header }: Model, { columns, rows }: ReturnType<typeof traceQuery>): ColumnLineage {
  const names = Object.keys(header.columns);
  return {
    columns: new Map(names.map((name, index) => [name, columns[index]?.sources ?? Sources.NONE])),
    rows,
  };
}

function filesOf(model: Model) {
  if (!isRaw(model)) return undefined;
  return Object.keys(model.header.reads).map((name) => ({ name, sources: Sources.of(model.name, name) }));
}

/** One Parquet file with the columns that a model reads, each as text. */
function plainPart({ header }: RawModel): RawPart {
  const columns = Object.keys(header.reads).map((name) => [name, { name, type: "VARCHAR" }] as const);
  return {
    format: "parquet",
    root: "",
    files: ["raw.parquet"],
    bytes: 0,
    fileColumn: "__raw_file",
    columns: Object.fromEntries(columns),
    compression: "none",
    header: [],
  };
}
