import { callsOf, statementsOf } from "../sql-text/scan.js";

/** What an engine's SQL can do instead of computing. */
export interface Powers {
  /** How a statement that makes a function begins. */
  readonly makesFunction: RegExp;
  /** How that statement is called. */
  readonly functionStatement: string;
  /** Functions that a query can call and that do more than compute. */
  readonly doMore: RegExp;
}

/**
 * Says why a text of a file is refused as a model or an audit: the runner puts a SELECT in parentheses, which must not end early.
 * Undefined if nothing is wrong with it.
 */
export function refusalOfSelect(sql: string, { doMore }: Powers): string | undefined {
  if (statementsOf(sql).length > 1) return refusal("it is more than one SELECT");
  return refusalOfCalls(sql, doMore);
}

/** Says why a text is refused as a file of functions; undefined if nothing is wrong with it. */
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
