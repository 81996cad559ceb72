import { messageOf, PipelineError, type FaultCode } from "../../base/errors.js";
import { machineFault } from "../../base/machine-faults.js";
import type { RunActivity } from "../../run/activity.js";

/** How a check has ended. */
export interface CheckResult {
  readonly check: string;
  readonly outcome: "passed" | "failed" | "unchecked";
  /** What was found; where it has failed, what is wrong and what to do; where it could not be made, what comes first. */
  readonly message: string;
  /** Of one that has failed; `BUG` is one of the pipeline. */
  readonly code: FaultCode | "BUG" | null;
}

/** What a check says where all is well, and what it gives to those that depend on it. */
export interface Finding<Value> {
  readonly message: string;
  readonly value: Value;
}

/** All is well, and there is nothing that others depend on. */
export function found(message: string): Finding<undefined> {
  return { message, value: undefined };
}

/** A check that was made, with what it gives; nothing if it has failed. */
export interface Examined<Value> {
  readonly check: string;
  readonly finding: Finding<Value> | undefined;
}

/** What checks give, in their order. */
type ValuesOf<Needs extends readonly Examined<unknown>[]> = {
  [Index in keyof Needs]: Needs[Index] extends Examined<infer Value> ? Value : never;
};

/** Makes checks, each of which can fail without keeping others from being made. */
export class Examination {
  readonly #activity: RunActivity;
  readonly #results: Promise<CheckResult>[] = [];

  constructor(activity: RunActivity) {
    this.#activity = activity;
  }

  /**
   * Makes a check, unless one that it needs has failed. Checks can be made side by side; results are in the order of the calls.
   * @param look throws a PipelineError for what is wrong.
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

  /** Every result, when all checks have ended. */
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
