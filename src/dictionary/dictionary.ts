import type { SqlVersion } from "../models/load.js";
import { isPublished, isWritten, placesOf, publishedColumns, type Model } from "../models/model.js";
import { NO_ORIGIN, originsOf, UNKNOWN_ORIGIN, type Lineage } from "./entries.js";

/** The data dictionary of a SQL version, as Markdown: every model with its columns, its audits and its places. */
export function dictionaryOf(version: SqlVersion, lineage: Lineage): string {
  const audits = [...version.audits.values()].map(
    ({ name, header }) => `- \`${name}\`: ${oneLine(header.description)}`,
  );
  return (
    [
      `# Data dictionary of SQL ${version.name}`,
      "Made from the headers of the models by `npm run generate`; do not edit.",
      ...version.models.map((model) => modelText(model, lineage)),
      "## Audits",
      audits.join("\n"),
      "",
    ]
      .join("\n\n")
      .trimEnd() + "\n"
  );
}

function modelText(model: Model, lineage: Lineage): string {
  const { header } = model;
  const columns = Object.entries(header.columns).map(
    ([name, { type, description }]) =>
      `| \`${name}\` | ${type} | ${oneLine(description).replaceAll("|", "\\|")} | ${originText(lineage, model, name)} |`,
  );
  return [
    `## ${model.name}`,
    oneLine(header.description),
    [...factsOf(model), `Defined in [\`${model.file}\`](../${model.file}).`].join(" "),
    ["| column | type | meaning | comes from |", "| --- | --- | --- | --- |", ...columns].join("\n"),
  ].join("\n\n");
}

function originText(lineage: Lineage, model: Model, name: string): string {
  const origins = originsOf(lineage, model.name, name);
  if (origins === undefined) return UNKNOWN_ORIGIN;
  if (origins.length === 0) return NO_ORIGIN;
  return origins
    .map((origin) =>
      origin.model === undefined ? `the files' \`${origin.column}\`` : `\`${origin.model}.${origin.column}\``,
    )
    .join(", ");
}

function factsOf(model: Model): string[] {
  const audits =
    model.layer === "raw"
      ? []
      : model.header.audits.map(({ audit, own }) =>
          own === undefined ? `\`${audit}\`` : `\`${audit}\` (${oneLine(own.description)})`,
        );
  return [
    ...(isWritten(model)
      ? [
          `Written to ${placesOf(model)
            .map((place) => `\`${place}\``)
            .join(" or, by a cluster, to the files that are named in ")}.`,
        ]
      : []),
    ...(isWritten(model) && model.header.key
      ? [`Key: ${model.header.key.map((name) => `\`${name}\``).join(", ")}.`]
      : []),
    ...(isPublished(model)
      ? [
          `Published as the table \`${model.table}\` with the columns ` +
            `${publishedColumns(model)
              .map(([name]) => `\`${name}\``)
              .join(", ")}.`,
        ]
      : []),
    ...(audits.length > 0 ? [`Audits: ${audits.join(", ")}.`] : []),
  ];
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}

/** The data dictionary of a SQL version, for programs. */
export interface DictionaryData {
  readonly sql_version: string;
  readonly sql_hash: string;
  readonly models: readonly ModelData[];
}

export interface ModelData {
  readonly model: string;
  readonly file: string;
  readonly description: string;
  readonly columns: readonly ColumnData[];
  /** Null if the model has none. */
  readonly key: readonly string[] | null;
  /** The columns of its table in the consumption database; null if it has none. */
  readonly published_columns: readonly string[] | null;
  readonly audits: readonly string[];
}

export interface ColumnData {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  /** The model is null for a column of the raw files. The list is null if the sources are unknown. */
  readonly comes_from: readonly { readonly model: string | null; readonly column: string }[] | null;
}

/** Makes the data dictionary from the headers of the models and their lineage. */
export function dictionaryDataOf({ name, hash, models }: SqlVersion, lineage: Lineage): DictionaryData {
  return { sql_version: name, sql_hash: hash, models: models.map((model) => modelData(model, lineage)) };
}

function modelData(model: Model, lineage: Lineage): ModelData {
  const { header } = model;
  return {
    model: model.name,
    file: model.file,
    description: header.description.trim(),
    columns: Object.entries(header.columns).map(([name, { type, description }]) => ({
      name,
      type,
      description,
      comes_from:
        originsOf(lineage, model.name, name)?.map((origin) => ({
          model: origin.model ?? null,
          column: origin.column,
        })) ?? null,
    })),
    key: isWritten(model) ? (model.header.key ?? null) : null,
    published_columns: isPublished(model) ? publishedColumns(model).map(([name]) => name) : null,
    audits: model.layer === "raw" ? [] : model.header.audits.map(({ audit }) => audit),
  };
}
