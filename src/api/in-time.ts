import { Problem } from "./problem.js";

/**
 * Waits for an answer of the database no longer than whoever has asked would.
 * @throws Problem database-unavailable
 */
export async function inTime<Answer>(milliseconds: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new Problem(
          "database-unavailable",
          "The database of the answers does not answer in time; try again later.",
        ),
      );
    }, milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
