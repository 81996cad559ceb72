import type { SqlVersion } from "../models/load.js";
import { isPublished, isWritten, placesOf, publishedColumns, type Model } from "../models/model.js";

/** The data dictionary of a SQL version, as Markdown: every model with its columns, its audits and where it is found. */
export function dictionaryOf(version: SqlVersion): string {
  const audits = [...version.audits.values()].map(
    ({ name, header }) => `- \`${name}\`: ${oneLine(header.description)}`,
  );
  return (
    [
      `# Data dictionary of SQL ${version.name}`,
      "Made from the headers of the models by `npm run generate`; do not edit.",
      ...version.models.map(modelText),
      "## Audits",
      audits.join("\n"),
      "",
    ]
      .join("\n\n")
      .trimEnd() + "\n"
  );
}

function modelText(model: Model): string {
  const { header } = model;
  const columns = Object.entries(header.columns).map(
    ([name, { type, description }]) =>
      `| \`${name}\` | ${type} | ${oneLine(description).replaceAll("|", "\\|")} |`,
  );
  return [
    `## ${model.name}`,
    oneLine(header.description),
    [...factsOf(model), `Defined in [\`${model.file}\`](../${model.file}).`].join(" "),
    ["| column | type | meaning |", "| --- | --- | --- |", ...columns].join("\n"),
  ].join("\n\n");
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
  readonly columns: readonly { readonly name: string; readonly type: string; readonly description: string }[];
  /** Null where the model has none. */
  readonly key: readonly string[] | null;
  /** The columns of its table in the consumption database; null where it has none. */
  readonly published_columns: readonly string[] | null;
  readonly audits: readonly string[];
}

/** Makes the data dictionary from the headers of the models. */
export function dictionaryDataOf({ name, hash, models }: SqlVersion): DictionaryData {
  return { sql_version: name, sql_hash: hash, models: models.map(modelData) };
}

function modelData(model: Model): ModelData {
  const { header } = model;
  return {
    model: model.name,
    file: model.file,
    description: header.description.trim(),
    columns: Object.entries(header.columns).map(([name, { type, description }]) => ({
      name,
      type,
      description,
    })),
    key: isWritten(model) ? (model.header.key ?? null) : null,
    published_columns: isPublished(model) ? publishedColumns(model).map(([name]) => name) : null,
    audits: model.layer === "raw" ? [] : model.header.audits.map(({ audit }) => audit),
  };
}
