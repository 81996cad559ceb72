import { messageOf, PipelineError, type FaultCode } from "../../base/errors.js";
import { machineFault } from "../../base/machine-faults.js";
import type { RunActivity } from "../../run/activity.js";

/** The result of a check. */
export interface CheckResult {
  readonly check: string;
  readonly outcome: "passed" | "failed" | "unchecked";
  /** The finding. For a failed check: the fault and its remedy. For a skipped check: the check that must pass first. */
  readonly message: string;
  /** The code of a failed check; `BUG` is a bug of the pipeline. */
  readonly code: FaultCode | "BUG" | null;
}

/** The message of a passed check, and its value for the checks that depend on it. */
export interface Finding<Value> {
  readonly message: string;
  readonly value: Value;
}

/** A passed check without a value. */
export function found(message: string): Finding<undefined> {
  return { message, value: undefined };
}

/** A finished check with its value; without a value if it failed. */
export interface Examined<Value> {
  readonly check: string;
  readonly finding: Finding<Value> | undefined;
}

/** The values of checks, in their order. */
type ValuesOf<Needs extends readonly Examined<unknown>[]> = {
  [Index in keyof Needs]: Needs[Index] extends Examined<infer Value> ? Value : never;
};

/** Runs checks. A failed check does not stop the others. */
export class Examination {
  readonly #activity: RunActivity;
  readonly #results: Promise<CheckResult>[] = [];

  constructor(activity: RunActivity) {
    this.#activity = activity;
  }

  /**
   * Runs a check, unless one that it needs has failed. Checks can run in parallel; results are in the order of the
   * calls.
   * @param look throws a PipelineError for a fault.
   */
  async check<Value, const Needs extends readonly Examined<unknown>[]>(
    check: string,
    needs: Needs,
    look: (...values: ValuesOf<Needs>) => Finding<Value> | Promise<Finding<Value>>,
  ): Promise<Examined<Value>> {
    const made = this.#make(check, needs, look);
    this.#results.push(made.then(({ result }) => result));
    return { check, finding: (await made).finding };
  }

  /** All results, after all checks have ended. */
  results(): Promise<CheckResult[]> {
    return Promise.all(this.#results);
  }

  async #make<Value, Needs extends readonly Examined<unknown>[]>(
    check: string,
    needs: Needs,
    look: (...values: ValuesOf<Needs>) => Finding<Value> | Promise<Finding<Value>>,
  ): Promise<{ result: CheckResult; finding: Finding<Value> | undefined }> {
    const missing = needs.filter(({ finding }) => finding === undefined);
    if (missing.length > 0) {
      const message = `it needs ${missing.map((need) => need.check).join(", ")}`;
      return { result: { check, outcome: "unchecked", message, code: null }, finding: undefined };
    }
    const values = needs.map(({ finding }) => finding?.value) as ValuesOf<Needs>;
    try {
      const finding = await this.#activity.during(check, async () => look(...values));
      return { result: { check, outcome: "passed", message: finding.message, code: null }, finding };
    } catch (thrown) {
      const error = machineFault(thrown) ?? thrown;
      const code = error instanceof PipelineError ? error.code : "BUG";
      return { result: { check, outcome: "failed", message: messageOf(error), code }, finding: undefined };
    }
  }
}
