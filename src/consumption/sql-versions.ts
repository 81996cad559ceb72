import type { Kysely } from "kysely";
import * as z from "zod";
import { damaged, storedJson, translatingErrors, unlessMissing, type Consumption } from "./consumption.js";
import type { PublishedTables } from "./schema.js";

/** The text of each file of a version, by its path below the SQL folder. */
export type SqlTexts = ReadonlyMap<string, string>;

const FILES = z.record(z.string(), z.string());

/** Stores the SQL of a run, once for all runs with the same SQL. */
export function keepSqlVersion(
  { db, dialect }: Consumption,
  version: { readonly name: string; readonly hash: string; readonly texts: SqlTexts },
): Promise<void> {
  return translatingErrors(dialect, async () => {
    const kept = await db
      .selectFrom("sql_versions")
      .select("sql_hash")
      .where("sql_hash", "=", version.hash)
      .executeTakeFirst();
    if (kept !== undefined) return;
    const row = {
      sql_hash: version.hash,
      sql_version: version.name,
      files: JSON.stringify(Object.fromEntries(version.texts)),
    };
    // Runs of several dates can store it at the same time.
    const tables = db.withTables<PublishedTables>() as unknown as Kysely<PublishedTables>;
    await dialect.upsert(tables, { name: "sql_versions", key: ["sql_hash"] }, [row]).execute();
  });
}

/**
 * The SQL with a hash, or undefined if no run used it.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if no run can have written the row.
 */
export async function readSqlVersion(consumption: Consumption, hash: string): Promise<SqlTexts | undefined> {
  const kept = await unlessMissing(consumption, ["sql_versions"], () =>
    consumption.db.selectFrom("sql_versions").select("files").where("sql_hash", "=", hash).executeTakeFirst(),
  );
  return kept && new Map(Object.entries(parseFiles(hash, kept.files)));
}

function parseFiles(hash: string, files: string): Record<string, string> {
  const what = `the SQL ${hash} as a text`;
  const parsed = FILES.safeParse(storedJson(files, what));
  if (!parsed.success) throw damaged(`${what} without files`, parsed.error);
  return parsed.data;
}
