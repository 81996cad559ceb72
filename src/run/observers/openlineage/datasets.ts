import path from "node:path";
import { isOnS3 } from "../../../base/s3-access.js";
import { dataSourceOf } from "../../../consumption/open-consumption.js";
import { isIndirect, Sources, type Source } from "../../../models/lineage/sources.js";
import {
  isPublished,
  isRaw,
  isWritten,
  publishedColumns,
  type Model,
  type WrittenModel,
} from "../../../models/model.js";
import type { OutputTable, RunReport } from "../../../record/run-record.js";
import { lineageFrom, type ColumnLineage, type VersionLineage } from "../../column-lineage.js";
import type { RunContext } from "../../context.js";
import { assertionsOf, facetsOf, type Facets } from "./facets.js";

/** The identity of a dataset, by OpenLineage's rules for names. */
interface DatasetName {
  readonly namespace: string;
  readonly name: string;
}

/** An input or output of a run, with its known facets. */
export interface Dataset extends DatasetName {
  readonly facets: Facets;
  readonly inputFacets?: Facets;
  readonly outputFacets?: Facets;
}

type Places = Pick<RunContext, "settings" | "zones">;

/** The folder of a model's files: `s3://lake` and `curated/vouchers`, or `file` and `/lake/curated/vouchers`. */
export function filesName({ zones }: Places, model: Model): DatasetName {
  if (!isRaw(model) && !isWritten(model)) throw new TypeError(`${model.name} has no files`);
  const location = `${zones[model.layer].root}/${isRaw(model) ? model.header.folder : model.table}`;
  if (!isOnS3(location)) return { namespace: "file", name: location };
  const { host, pathname } = new URL(location);
  return { namespace: `s3://${host}`, name: decodeURIComponent(pathname.slice(1)) };
}

/** The table of a published model. */
function tableName({ settings }: Places, model: WrittenModel): DatasetName {
  const { uri, database } = dataSourceOf(settings.consumptionUrl);
  return { namespace: uri, name: database === undefined ? model.table : `${database}.${model.table}` };
}

/** The facets of a model's files that do not depend on their contents. */
export function filesFacets(places: Places, model: Model): Facets {
  const { namespace, name } = filesName(places, model);
  const uri = namespace === "file" ? `file://${name}` : `${namespace}/${name}`;
  return {
    ...describedFacets(model),
    schema: { fields: isRaw(model) ? Object.keys(model.header.reads).map(named) : fieldsOf(model) },
    dataSource: { name: namespace, uri },
    storage: {
      storageLayer: namespace.startsWith("s3:") ? "s3" : "file",
      ...(isRaw(model) ? {} : { fileFormat: "parquet" }),
    },
  };
}

/** The facets of a published model's table that do not depend on its contents. */
function tableFacets({ settings }: Places, model: WrittenModel): Facets {
  const { uri, database } = dataSourceOf(settings.consumptionUrl);
  const published = new Set(publishedColumns(model).map(([name]) => name));
  return {
    ...describedFacets(model),
    schema: { fields: fieldsOf(model).filter(({ name }) => published.has(name)) },
    dataSource: {
      name: database ?? path.basename(uri),
      uri: database === undefined ? uri : `${uri}/${database}`,
    },
  };
}

/**
 * The sources of a dataset's columns.
 * @param nameOf the dataset of a model, among the inputs.
 */
function columnLineageFacet(
  { columns, rows }: ColumnLineage,
  nameOf: (model: string) => DatasetName,
  isColumn: (column: string) => boolean = () => true,
): object {
  const inputFields = (sources: Sources) => sources.list().map((source) => inputField(source, nameOf));
  return {
    fields: Object.fromEntries(
      [...columns]
        .filter(([column]) => isColumn(column))
        .map(([column, sources]) => [column, { inputFields: inputFields(sources) }] as const)
        .filter(([, { inputFields: fields }]) => fields.length > 0),
    ),
    dataset: inputFields(rows),
  };
}

function inputField(
  { relation, column, derivations }: Source,
  nameOf: (model: string) => DatasetName,
): object {
  return {
    ...nameOf(relation),
    field: column,
    transformations: derivations.map((derivation) => ({
      type: isIndirect(derivation) ? "INDIRECT" : "DIRECT",
      subtype: derivation,
      description: "",
      masking: false,
    })),
  };
}

function describedFacets({ header }: Model): Facets {
  return { documentation: { description: header.description.trim() } };
}

function fieldsOf({ header }: Model): { name: string }[] {
  return Object.entries(header.columns).map(([name, { type, description }], index) => ({
    name,
    type,
    description: description.trim(),
    ordinal_position: index + 1,
  }));
}

function named(name: string): { name: string } {
  return { name };
}

/** A dataset with its facets, ready to send. */
export function dataset(
  name: DatasetName,
  { facets, inputFacets, outputFacets }: Pick<Dataset, "facets" | "inputFacets" | "outputFacets">,
): Dataset {
  return {
    ...name,
    facets: facetsOf(facets),
    ...(inputFacets === undefined ? {} : { inputFacets: facetsOf(inputFacets) }),
    ...(outputFacets === undefined ? {} : { outputFacets: facetsOf(outputFacets) }),
  };
}

type OutputContext = Pick<RunContext, "settings" | "version" | "zones">;

/** The outputs of a run: the tables of zones, and the published tables. */
export function outputsOf(context: OutputContext, report: RunReport, lineage: VersionLineage): Dataset[] {
  return [
    ...report.tables.map((table) => writtenOutput(context, report, lineage, table)),
    ...context.version.models
      .filter(isPublished)
      .flatMap((model) => publishedOutput(context, report, lineage, model)),
  ];
}

function writtenOutput(
  context: OutputContext,
  report: RunReport,
  lineage: VersionLineage,
  { model: name, rows, files, bytes, sha256 }: OutputTable,
): Dataset {
  const model = modelNamed(context, name);
  return dataset(filesName(context, model), {
    facets: {
      ...filesFacets(context, model),
      ...columnFacets(context, report, lineage, name),
      version: { datasetVersion: sha256 },
      dataQualityAssertions: { assertions: assertionsOf(report, name) },
    },
    outputFacets: { outputStatistics: { rowCount: rows, size: bytes, fileCount: files } },
  });
}

function publishedOutput(
  context: OutputContext,
  report: RunReport,
  lineage: VersionLineage,
  model: WrittenModel,
): Dataset[] {
  const change = report.published?.tables.find(({ table }) => table === model.table);
  if (change === undefined) return [];
  const published = new Set(publishedColumns(model).map(([name]) => name));
  return [
    dataset(tableName(context, model), {
      facets: {
        ...tableFacets(context, model),
        ...columnFacets(context, report, lineage, model.name, (column) => published.has(column)),
      },
      outputFacets: { outputStatistics: { rowCount: change.rows } },
    }),
  ];
}

/** The sources are the inputs of the run. Its own intermediate steps are left out. */
function columnFacets(
  context: OutputContext,
  { at_rest }: RunReport,
  lineage: VersionLineage,
  name: string,
  isColumn?: (column: string) => boolean,
): Facets {
  const isRead = (model: string) => at_rest.some((resting) => resting.model === model);
  const nameOf = (model: string) => filesName(context, modelNamed(context, model));
  const found = isRead(name) ? copied(modelNamed(context, name)) : lineageFrom(lineage, name, isRead);
  return found === undefined ? {} : { columnLineage: columnLineageFacet(found, nameOf, isColumn) };
}

/** Every column is an unchanged copy. */
function copied({ name, header }: ReturnType<typeof modelNamed>): ColumnLineage {
  const columns = Object.keys(header.columns).map((column) => [column, Sources.of(name, column)] as const);
  return { columns: new Map(columns), rows: Sources.NONE };
}

function modelNamed({ version }: OutputContext, name: string) {
  const model = version.models.find((one) => one.name === name);
  if (model === undefined) throw new RangeError(`no model ${name}`);
  return model;
}
