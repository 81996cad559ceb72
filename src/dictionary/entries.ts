import type { Sources } from "../models/lineage/sources.js";
import type { SqlVersion } from "../models/load.js";
import type { Model } from "../models/model.js";
import { orderByReference, referencesOf } from "../models/order.js";

/** A model, with its sources and its readers, by name. */
export interface Entry {
  readonly name: string;
  readonly model: Model;
  readonly reads: readonly string[];
  readonly feeds: readonly string[];
}

/** The sources of the columns of each model, by the names of both. A model is missing if its columns are not traceable. */
export type Lineage = ReadonlyMap<string, { readonly columns: ReadonlyMap<string, Sources> }>;

/** A source of a column. */
export interface Origin {
  /** A model; undefined for a column of the raw files. */
  readonly model: string | undefined;
  readonly column: string;
}

/** The text for a column without sources: a constant of the run, or a count of rows. */
export const NO_ORIGIN = "no column";
/** The text for a column whose SQL is not traceable. */
export const UNKNOWN_ORIGIN = "not known";

/** The sources of a column; undefined if they are unknown. */
export function originsOf(lineage: Lineage, model: string, column: string): Origin[] | undefined {
  return lineage
    .get(model)
    ?.columns.get(column)
    ?.origins()
    .map((origin) => ({
      model: origin.relation === model ? undefined : origin.relation,
      column: origin.column,
    }));
}

/**
 * Every model of a version, in the order of layers and names.
 * @throws PipelineError INVALID_MODEL for models that read each other in a circle.
 */
export function entriesOf({ models }: SqlVersion): Entry[] {
  const reads = new Map(models.map((model) => [model.name, referencesOf(model)]));
  orderByReference(models.map((model) => ({ model, reads: reads.get(model.name) ?? [] })));
  return models.map((model) => ({
    name: model.name,
    model,
    reads: reads.get(model.name) ?? [],
    feeds: [...reads].filter(([, names]) => names.includes(model.name)).map(([name]) => name),
  }));
}

/** A model with all its direct and indirect sources and readers. */
export function aroundOf(entries: readonly Entry[], entry: Entry): Entry[] {
  const upstream = reached(entries, entry, ({ reads }) => reads);
  const downstream = reached(entries, entry, ({ feeds }) => feeds);
  return entries.filter(({ name }) => upstream.has(name) || downstream.has(name));
}

function reached(
  entries: readonly Entry[],
  from: Entry,
  next: (entry: Entry) => readonly string[],
): ReadonlySet<string> {
  const found = new Set([from.name]);
  // The loop over a set also visits names that it adds.
  for (const name of found) {
    const entry = entries.find((one) => one.name === name);
    for (const other of entry === undefined ? [] : next(entry)) found.add(other);
  }
  return found;
}

/** The page of a model, in the same folder as the other pages. */
export function addressOf(name: string): string {
  return `${name}.html`;
}
