import type * as z from "zod";
import { Problem, type FieldError } from "./problem.js";

/** How many faults are listed: a list of ten thousand customers can have as many. */
const FAULTS_LISTED = 100;

/**
 * Checks a value by a schema.
 * @param place what the fields' names begin with in messages.
 * @throws Problem invalid-request that names every field at fault.
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new Problem(
    "invalid-request",
    "The fields listed under errors are missing or wrong.",
    fieldErrors(parsed.error.issues.slice(0, FAULTS_LISTED), place).slice(0, FAULTS_LISTED),
  );
}

/** The faults that a schema has found, by field. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], place: string): FieldError[] {
  const named = (path: readonly PropertyKey[]) =>
    [...(place === "" ? [] : [place]), ...path].map(String).join(".");
  return issues.flatMap((issue): FieldError[] => {
    if (issue.code === "unrecognized_keys")
      return issue.keys
        .slice(0, FAULTS_LISTED)
        .map((key) => ({ field: named([...issue.path, key]), message: "is not known here" }));
    if (issue.code === "invalid_union") {
      const [closest] = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a));
      if (closest !== undefined && depthOf(closest) > 0) return fieldErrors(closest, named(issue.path));
    }
    const isMissing = issue.input === undefined && issue.path.length > 0;
    return [{ field: named(issue.path), message: isMissing ? "is missing" : issue.message }];
  });
}

/** How far into the value a branch of a union could follow it: the one that came furthest was meant. */
function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((depth, { path }) => Math.max(depth, path.length), 0);
}
