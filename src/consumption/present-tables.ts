import { PipelineError } from "../base/errors.js";
import { translatingErrors, type Consumption, type Dialect } from "./consumption.js";

/** Reads tables; undefined where one of them is not there yet: a run makes them no earlier than it writes them. */
export function unlessMissing<Result>(
  { db, dialect }: Pick<Consumption, "db" | "dialect">,
  tables: readonly string[],
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  return translatingErrors(dialect, async () => {
    try {
      return await read();
    } catch (error) {
      // Whoever is out of reach cannot be asked for them.
      if (isUnreachable(dialect, error)) throw error;
      const present = new Set((await db.introspection.getTables()).map(({ name }) => name));
      if (tables.every((name) => present.has(name))) throw error;
      return undefined;
    }
  });
}

function isUnreachable(dialect: Dialect, error: unknown): boolean {
  const fault = dialect.translateError(error);
  return fault instanceof PipelineError && fault.code === "CONSUMPTION_UNAVAILABLE";
}
