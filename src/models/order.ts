import { PipelineError } from "../base/errors.js";
import type { Layer, Model } from "./model.js";

/** A model, and the names of its sources. */
export interface Step {
  readonly model: Model;
  /** The sources of the model and of its audits. */
  readonly reads: readonly string[];
  /** The sources that only its audits read. */
  readonly auditsRead?: readonly string[];
}

/** The layers that each layer can read: data flows one way. Audits can also read measures. */
const READABLE: Record<Layer, readonly Layer[]> = {
  raw: [],
  curated: ["raw", "curated"],
  measures: ["raw", "curated", "measures", "provision"],
  provision: ["curated", "provision"],
};

/**
 * Orders steps so that each comes after its sources; otherwise by layers and names.
 * @param tell gets a PipelineError INVALID_MODEL for each model that reads itself in a circle or against the flow of the zones.
 * By default it is thrown.
 */
export function orderByReference<Kind extends Step>(
  steps: readonly Kind[],
  tell: (fault: PipelineError) => void = (fault) => {
    throw fault;
  },
): Kind[] {
  const byName = new Map(steps.map((step) => [step.model.name, step]));
  const ordered = new Set<Kind>();

  const place = (step: Kind, path: readonly string[]) => {
    if (ordered.has(step)) return;
    const { name, file, layer } = step.model;
    if (path.includes(name)) {
      tell(faultOf(file, `models read each other in a circle: ${[...path, name].join(" → ")}`));
      return;
    }
    for (const reference of step.reads) {
      const read = byName.get(reference);
      if (read === undefined) continue;
      const isOfAudit = step.auditsRead?.includes(reference) ?? false;
      if (!READABLE[layer].includes(read.model.layer) && !(isOfAudit && read.model.layer === "measures"))
        tell(faultOf(file, `a model of ${layer} cannot read ${reference}; data flows one way`));
      else place(read, [...path, name]);
    }
    ordered.add(step);
  };
  for (const step of steps) place(step, []);
  return [...ordered];
}

function faultOf(file: string, fault: string): PipelineError {
  return new PipelineError("INVALID_MODEL", `${file}: ${fault}`);
}

const REFERENCE = /\{\{-?\s*(["'])([a-z]+\.[a-z0-9_]+)\1\s*\|\s*ref\s*-?\}\}/g;

/** The sources of a model, from the references in its SQL. This needs no run. */
export function referencesOf({ template }: Pick<Model, "template">): string[] {
  return [...new Set([...template.matchAll(REFERENCE)].map(([, , name = ""]) => name))];
}
