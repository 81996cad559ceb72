import type { AuditUse, Column, Header } from "./header.js";

/** Raw models are in a temporary file and measures are in memory, both until the end of the run; the others are written. */
export const LAYERS = ["raw", "curated", "measures", "provision"] as const;
export type Layer = (typeof LAYERS)[number];

/** Layers whose models are written to a zone. */
export type ZoneLayer = "curated" | "provision";

interface ModelFile<ModelLayer extends Layer> {
  /** The layer and the file's name: `curated.vouchers`. */
  readonly name: string;
  readonly layer: ModelLayer;
  readonly table: string;
  /** The name in messages: `sql/v1/curated/vouchers.sql`. */
  readonly file: string;
  readonly template: string;
}

export interface RawModel extends ModelFile<"raw"> {
  readonly header: Header<"raw">;
}

/** A model that is written to a zone, as one file for each execution date. */
export interface WrittenModel extends ModelFile<ZoneLayer> {
  readonly header: Header<"written">;
}

/** A model that is computed once in a run, and kept in the engine and in the run's record. */
export interface Measure extends ModelFile<"measures"> {
  readonly header: Header<"measure">;
}

export type Model = RawModel | WrittenModel | Measure;

/** A query for the rows that break a promise. */
export interface Audit {
  readonly name: string;
  readonly file: string;
  readonly template: string;
  readonly header: Header<"audit">;
}

/** The audit of a use: from its version, or the model's own; undefined if there is none with the name. */
export function usedAudit(
  { file }: Model,
  { audit: name, own }: AuditUse,
  audits: ReadonlyMap<string, Audit>,
): Audit | undefined {
  if (own === undefined) return audits.get(name);
  const header = {
    description: own.description,
    severity: "error" as const,
    threshold: { rows: 0 },
    reads_files: false,
  };
  return { name, file: `${file}: ${name}`, template: own.select, header };
}

/** A query that describes each file of a raw model. */
export interface Inspection {
  readonly file: string;
  readonly template: string;
  readonly header: Header<"inspection">;
}

/** The audits that run on every model that has a key. */
export const EVERY_KEY = ["key_is_complete", "unique_key"];
/** The audits that run on every model that is published. */
export const EVERY_PUBLISHED = ["texts_fit"];

/** The audits of a model: those of its kind, and then those that its header names. */
export function usesOf(model: Model): AuditUse[] {
  const named = [
    ...(isWritten(model) && model.header.key !== undefined ? EVERY_KEY : []),
    ...(isPublished(model) ? EVERY_PUBLISHED : []),
  ];
  return [
    ...named.map((audit) => ({
      audit,
      parameters: {},
      severity: undefined,
      threshold: undefined,
      own: undefined,
    })),
    ...model.header.audits,
  ];
}

export function isRaw(model: Model): model is RawModel {
  return model.layer === "raw";
}

export function isMeasure(model: Model): model is Measure {
  return model.layer === "measures";
}

export function isWritten(model: Model): model is WrittenModel {
  return model.layer === "curated" || model.layer === "provision";
}

/** Whether a model has a row for each voucher: it may be too large for one machine and for one file. */
export function isLarge(name: string): boolean {
  return name.startsWith("raw.") || name.startsWith("curated.");
}

export function isPublished(model: Model): model is WrittenModel {
  return isWritten(model) && model.header.publish;
}

/** The columns that the header of a model declares, in their order. */
export function declaredColumns({ header }: Model): { name: string; type: string }[] {
  return Object.entries(header.columns).map(([name, { type }]) => ({ name, type }));
}

/** The columns of the published table, without those that the header excludes. */
export function publishedColumns(model: WrittenModel): [string, Column][] {
  return Object.entries(model.header.columns).filter(([, column]) => column.publish);
}

/** The key of the published table, which holds many execution dates. */
export function publishedKey(model: WrittenModel): string[] {
  return ["execution_date", ...(model.header.key ?? [])];
}

/** The path of a partition of a written model: its one file, and the manifest if a cluster may write many files. */
export function placesOf(model: WrittenModel): string[] {
  const folder = `${model.layer}/${model.table}/execution_date=<key>`;
  return [`${folder}/data.parquet`, ...(isLarge(model.name) ? [`${folder}/_manifest.json`] : [])];
}
