import path from "node:path";
import { isOnS3 } from "../../../base/s3-access.js";
import { dataSourceOf } from "../../../consumption/data-source.js";
import { isIndirect, type Source, type Sources } from "../../../models/lineage/sources.js";
import { isRaw, isWritten, publishedColumns, type Model, type WrittenModel } from "../../../models/model.js";
import type { ColumnLineage } from "../../column-lineage.js";
import type { RunContext } from "../../context.js";
import { facetsOf, type Facets } from "./facet.js";

/** What identifies a dataset, by OpenLineage's rules for names. */
export interface DatasetName {
  readonly namespace: string;
  readonly name: string;
}

/** Something that a run reads or writes, with what is known of it. */
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
export function tableName({ settings }: Places, model: WrittenModel): DatasetName {
  const { uri, database } = dataSourceOf(settings.consumptionUrl);
  return { namespace: uri, name: database === undefined ? model.table : `${database}.${model.table}` };
}

/** What there is to say of the files of a model, whatever is in them. */
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

/** What there is to say of the table of a published model, whatever is in it. */
export function tableFacets({ settings }: Places, model: WrittenModel): Facets {
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
 * What the columns of a dataset come of.
 * @param nameOf the dataset that a model is, among those that are read.
 */
export function columnLineageFacet(
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

/** A dataset with its facets as they are sent. */
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
