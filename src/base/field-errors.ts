import type * as z from "zod";

/** One fault of a request or a file. */
export interface FieldError {
  /** The field, for example `customer.total_orders`. */
  readonly field: string;
  /** The fault, and the rule for a valid value. */
  readonly message: string;
}

/** The maximum number of listed faults: a list of ten thousand customers can have as many. */
export const FAULTS_LISTED = 100;

/** The faults of a schema check, by field. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], place: string): FieldError[] {
  const named = (path: readonly PropertyKey[]) =>
    [...(place === "" ? [] : [place]), ...path].map(String).join(".");
  return issues.flatMap((issue): FieldError[] => {
    if (issue.code === "unrecognized_keys")
      return issue.keys
        .slice(0, FAULTS_LISTED)
        .map((key) => ({ field: named([...issue.path, key]), message: "is unknown here" }));
    if (issue.code === "invalid_union") {
      const [closest] = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a));
      if (closest !== undefined && depthOf(closest) > 0) return fieldErrors(closest, named(issue.path));
    }
    const isMissing = issue.input === undefined && issue.path.length > 0;
    return [{ field: named(issue.path), message: isMissing ? "is missing" : issue.message }];
  });
}

/** How deep the value matches a branch of a union: the deepest match is the intended one. */
function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((depth, { path }) => Math.max(depth, path.length), 0);
}
