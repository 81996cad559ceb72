import { dump } from "js-yaml";
import type { AuditUse, Column } from "../models/header.js";
import type { SqlVersion } from "../models/load.js";
import {
  isPublished,
  isWritten,
  publishedColumns,
  publishedKey,
  usedAudit,
  usesOf,
  type WrittenModel,
} from "../models/model.js";
import { originsOf, type Lineage } from "./entries.js";

/** The version of the Open Data Contract Standard: https://bitol-io.github.io/open-data-contract-standard/v3.1.0/ */
const STANDARD = "v3.1.0";

/** The column that partitions every table. */
const PARTITION_COLUMN = "execution_date";

/** The standard's words for the types of columns. */
const LOGICAL_TYPES: Readonly<Record<Column["type"], object>> = {
  VARCHAR: { logicalType: "string" },
  INTEGER: { logicalType: "integer" },
  BIGINT: { logicalType: "integer" },
  DOUBLE: { logicalType: "number" },
  BOOLEAN: { logicalType: "boolean" },
  DATE: { logicalType: "date" },
  TIMESTAMP: { logicalType: "timestamp", logicalTypeOptions: { timezone: false } },
  "VARCHAR[]": { logicalType: "array", items: { logicalType: "string", physicalType: "VARCHAR" } },
};

/**
 * The data contract of a SQL version in YAML: every table of the zones with its columns, its key and its promises. It
 * contains no addresses, because these are settings.
 */
export function dataContractOf(version: SqlVersion, lineage: Lineage): string {
  const contract = {
    apiVersion: STANDARD,
    kind: "DataContract",
    id: `voucher-pipeline-${version.name}`,
    name: `Voucher pipeline, SQL ${version.name}`,
    version: version.name,
    status: "active",
    description: {
      purpose:
        "The voucher amount that is used most in each country and customer segment, and the vouchers it was found in.",
      usage: `Each table is a folder of Parquet files with one partition for each execution date, ${PARTITION_COLUMN}=<key>/.`,
      limitations: "A partition holds what was known at its execution date. All moments are in UTC.",
    },
    schema: version.models.filter(isWritten).map((model) => tableOf(version, lineage, model)),
    customProperties: [{ property: "sqlHash", value: version.hash }],
  };
  const lines = "# Made from the headers of the models by `pipeline docs --odcs`; do not edit.\n";
  return lines + dump(contract, { lineWidth: -1, noRefs: true });
}

function tableOf(version: SqlVersion, lineage: Lineage, model: WrittenModel): object {
  const { header, layer, table } = model;
  return {
    id: `${layer}_${table}`,
    name: table,
    physicalName: `${layer}/${table}`,
    logicalType: "object",
    physicalType: "table",
    description: oneLine(header.description),
    ...(header.key && {
      dataGranularityDescription: `One row for each ${header.key.join(", ")} of an execution date`,
    }),
    tags: [layer],
    properties: Object.entries(header.columns).map(([name, column]) =>
      propertyOf(lineage, model, name, column),
    ),
    quality: usesOf(model).map((use) => qualityOf(version, model, use)),
    customProperties: [
      { property: "sqlFile", value: model.file },
      ...(isPublished(model)
        ? [{ property: "publishedColumns", value: publishedColumns(model).map(([name]) => name) }]
        : []),
    ],
  };
}

function propertyOf(lineage: Lineage, model: WrittenModel, name: string, column: Column): object {
  const { description, max_length: maxLength, type } = column;
  const key = model.header.key === undefined ? [] : publishedKey(model);
  const isPartition = name === PARTITION_COLUMN;
  const origins = originsOf(lineage, model.name, name) ?? [];
  return {
    name,
    ...LOGICAL_TYPES[type],
    ...(maxLength !== undefined && isPublished(model) && { logicalTypeOptions: { maxLength } }),
    physicalType: type,
    description: oneLine(description),
    // Two audits refuse a key with a missing value, and a key that occurs twice.
    ...((key.includes(name) || isPartition) && { required: true }),
    ...(key.includes(name) && { primaryKey: true, primaryKeyPosition: key.indexOf(name) + 1 }),
    ...(isPartition && { partitioned: true, partitionKeyPosition: 1 }),
    ...(origins.length > 0 && {
      transformSourceObjects: origins.map((origin) => `${origin.model ?? "raw files"}.${origin.column}`),
    }),
  };
}

/** A promise of a model, in words. The pipeline checks it before anybody reads a partition. */
function qualityOf(version: SqlVersion, model: WrittenModel, use: AuditUse): object {
  const header = usedAudit(model, use, version.audits)?.header;
  const threshold = use.threshold ?? header?.threshold ?? {};
  const isWarning = (use.severity ?? header?.severity) === "warn";
  return {
    name: use.audit,
    type: "text",
    description: oneLine(header?.description ?? ""),
    severity: isWarning ? "warning" : "error",
    // The number or the share of rows that may break the promise.
    ...(Object.values(threshold).some((limit = 0) => limit > 0) && {
      customProperties: [{ property: "threshold", value: threshold }],
    }),
  };
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
