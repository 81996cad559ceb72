import { Sources } from "../../../models/lineage/sources.js";
import { isPublished, publishedColumns, type WrittenModel } from "../../../models/model.js";
import type { OutputTable, RunReport } from "../../../record/run-record.js";
import { lineageFrom, type ColumnLineage, type VersionLineage } from "../../column-lineage.js";
import type { RunContext } from "../../context.js";
import { assertionsOf } from "./audits.js";
import {
  columnLineageFacet,
  dataset,
  filesFacets,
  filesName,
  tableFacets,
  tableName,
  type Dataset,
} from "./datasets.js";
import type { Facets } from "./facet.js";

type OutputContext = Pick<RunContext, "settings" | "version" | "zones">;

/** The datasets that a run has made: the tables of zones, and those that it has published. */
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

/** Told by what the run has read, so that what its own steps have passed on to each other is left out. */
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

/** Every column as it is. */
function copied({ name, header }: ReturnType<typeof modelNamed>): ColumnLineage {
  const columns = Object.keys(header.columns).map((column) => [column, Sources.of(name, column)] as const);
  return { columns: new Map(columns), rows: Sources.NONE };
}

function modelNamed({ version }: OutputContext, name: string) {
  const model = version.models.find((one) => one.name === name);
  if (model === undefined) throw new RangeError(`no model ${name}`);
  return model;
}
