import type { Model } from "./model.js";

const REFERENCE = /\{\{-?\s*(["'])([a-z]+\.[a-z0-9_]+)\1\s*\|\s*ref\s*-?\}\}/g;

/** The models that a model reads, by the names that its SQL refers to, without a run to fill in the rest. */
export function referencesOf({ template }: Pick<Model, "template">): string[] {
  return [...new Set([...template.matchAll(REFERENCE)].map(([, , name = ""]) => name))];
}
