import { callsOf, statementsOf } from "../sql-text/scan.js";

/** The side effects that an engine's SQL can have. */
export interface Powers {
  /** The start of a statement that creates a function. */
  readonly makesFunction: RegExp;
  /** The name of that statement. */
  readonly functionStatement: string;
  /** Functions that a query can call and that have side effects. */
  readonly doMore: RegExp;
}

/**
 * Explains why the text of a file cannot be a model or an audit. The runner puts a SELECT in parentheses, which must
 * not end early. Undefined if the text is valid.
 */
export function refusalOfSelect(sql: string, { doMore }: Powers): string | undefined {
  if (statementsOf(sql).length > 1) return refusal("it is more than one SELECT");
  return refusalOfCalls(sql, doMore);
}

/** Explains why a text cannot be a file of functions; undefined if it is valid. */
export function refusalOfFunctions(
  sql: string,
  { makesFunction, functionStatement, doMore }: Powers,
): string | undefined {
  if (!statementsOf(sql).every((pieces) => makesFunction.test(pieces.slice(0, 6).join(" "))))
    return refusal(`it does more than ${functionStatement}`);
  return refusalOfCalls(sql, doMore);
}

function refusalOfCalls(sql: string, doMore: RegExp): string | undefined {
  const called = callsOf(sql).find((name) => doMore.test(name));
  return called === undefined ? undefined : refusal(`${called} does more than compute`);
}

function refusal(what: string): string {
  return `${what}: it was not run`;
}
