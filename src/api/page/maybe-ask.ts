import type { Consumption } from "../../consumption/consumption.js";
import { problemOf } from "../http/error-answers.js";
import type { Services } from "../http/services.js";

/**
 * Asks the database for what a page can do without.
 * @returns undefined where the database cannot be reached, or is not there yet. The page says so.
 */
export async function maybeAsk<Answer>(
  { store }: Services,
  question: (database: Consumption) => Promise<Answer>,
): Promise<Answer | undefined> {
  // Nobody waits for a database of which it is known that it is away.
  if (store.status.isAway) return undefined;
  return unlessAway(store.ask(question));
}

/** What was asked for; undefined where the database cannot be reached, or is not there yet. */
export async function unlessAway<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { type } = problemOf(error);
    if (type === "database-unavailable" || type === "no-publication") return undefined;
    throw error;
  }
}
