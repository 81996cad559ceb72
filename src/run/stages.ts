import { PipelineError } from "../base/errors.js";
import { isMeasure } from "../models/model.js";
import type { Stage } from "../record/run-record.js";
import type { Plan, PlannedStep } from "./plan.js";

/**
 * The steps of a plan that some stages build, those of each stage together: curate what comes of raw files, aggregate what comes of what is at rest then.
 * @throws PipelineError INVALID_MODEL for a measure that is of both.
 */
export function stepsOfStages(plan: Plan, stages: readonly Stage[]): PlannedStep[] {
  const aggregated = new Set<string>();
  const atRest = namesOf(measuresAtRest(plan));
  // In the order of the plan a step comes after what it reads.
  for (const { model, reads } of plan.steps) {
    const readsAggregated = reads.some((name) => aggregated.has(name));
    if (model.layer === "provision" || (isMeasure(model) && readsAggregated)) aggregated.add(model.name);
    if (isMeasure(model) && readsAggregated && !atRest.has(model.name)) {
      throw new PipelineError(
        "INVALID_MODEL",
        `${model.file}: a measure of provision cannot read raw, which is not there when provision is made alone`,
      );
    }
  }
  // What is of nothing but what is at rest is made with those that read it, so that they can be made alone.
  for (const { model, reads } of plan.steps.toReversed())
    if (aggregated.has(model.name)) for (const name of reads) if (atRest.has(name)) aggregated.add(name);
  const stageOf = (name: string): Stage => (aggregated.has(name) ? "aggregate" : "curate");
  return stages.flatMap((stage) => plan.steps.filter(({ model }) => stageOf(model.name) === stage));
}

/** The steps of a plan that are measures of nothing but what is at rest. */
export function measuresAtRest({ steps }: Plan): PlannedStep[] {
  const atRest: PlannedStep[] = [];
  for (const step of steps.filter(({ model }) => isMeasure(model))) {
    const readsRaw = step.reads.some((name) => name.startsWith("raw."));
    const measures = step.reads.filter((name) => name.startsWith("measures."));
    if (!readsRaw && measures.every((name) => namesOf(atRest).has(name))) atRest.push(step);
  }
  return atRest;
}

function namesOf(steps: readonly PlannedStep[]): Set<string> {
  return new Set(steps.map(({ model }) => model.name));
}
