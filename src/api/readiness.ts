import { noPublication, Problem } from "./problem.js";
import type { Services } from "./services.js";

/** How long ago the database said which publication is the newest one; undefined where it never has. */
export function confirmedSeconds({ store, now }: Services): number | undefined {
  const { confirmedAt } = store.status;
  return confirmedAt === undefined
    ? undefined
    : Math.max(0, (now().getTime() - confirmedAt.getTime()) / 1_000);
}

/** Why the service should get no requests now; undefined where it is ready. */
export function reasonNotReady(services: Services): Problem | undefined {
  if (services.underWay.isEnding)
    return new Problem("not-ready", "The service is ending; ask another instance of it.");
  if (services.store.status.publication === undefined) return noPublication();
  const seconds = Math.floor(confirmedSeconds(services) ?? Infinity);
  return seconds > services.staleSeconds ? silent(seconds) : undefined;
}

function silent(seconds: number): Problem {
  return new Problem(
    "database-unavailable",
    `The database has not answered for ${seconds.toString()} seconds; the answers are those of then.`,
  );
}
