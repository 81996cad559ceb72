import { Problem } from "../problem.js";

/** A file whose lines are longer is no file of customers, and would have to be held in memory. */
export const MAX_LINE_BYTES = 65_536;

/** A body that cannot be read on. */
export function unreadable(message: string): Problem {
  return new Problem("invalid-request", `The body cannot be read: it ${message}.`, [
    { field: "body", message },
  ]);
}

/** The fault of a line that is too long, or seems to be. */
export function lineTooLong(hint = ""): Problem {
  return unreadable(`has a line of more than ${MAX_LINE_BYTES.toLocaleString("en")} bytes${hint}`);
}
