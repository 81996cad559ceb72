import type { SqlVersion } from "./load.js";
import { isPublished, isWritten, publishedColumns, type Model } from "./model.js";

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
