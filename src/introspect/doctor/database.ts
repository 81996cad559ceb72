import { PipelineError } from "../../base/errors.js";
import { translatingErrors, type Consumption } from "../../consumption/consumption.js";
import { pendingMigrations } from "../../consumption/migrate.js";
import { neededChanges } from "../../consumption/published-tables.js";
import { INTERNAL_TABLES } from "../../consumption/schema.js";
import type { SqlVersion } from "../../models/load.js";
import { isPublished } from "../../models/model.js";
import { publishedTable } from "../../run/publish.js";
import { found, type Finding } from "./examination.js";

/** A checked database. */
export interface CheckedDatabase {
  readonly consumption: Consumption;
  /** How far the clock of its server is ahead; undefined if it has no own clock. */
  readonly aheadMilliseconds: number | undefined;
}

/** Whether the version of the server is supported, if there is a server. */
export async function checkServer(consumption: Consumption): Promise<Finding<CheckedDatabase>> {
  const { db, dialect, name } = consumption;
  const asked = Date.now();
  const server = await translatingErrors(dialect, () => dialect.server(db));
  if (server === undefined) return { message: name, value: { consumption, aheadMilliseconds: undefined } };
  const { product, version, oldest, now } = server;
  if (isOlder(version, oldest)) {
    throw new PipelineError(
      "CONSUMPTION_NOT_USABLE",
      `the ${name} runs ${product} ${version}, which is too old; ${oldest} or newer is required`,
    );
  }
  const aheadMilliseconds = now.getTime() - (asked + Date.now()) / 2;
  return { message: `${name}, ${product} ${version}`, value: { consumption, aheadMilliseconds } };
}

/** Whether the tables match this version of the pipeline, or can be migrated. */
export async function checkTables(
  consumption: Consumption,
  { models }: SqlVersion,
): Promise<Finding<undefined>> {
  const migrations = await pendingMigrations(consumption);
  const published = models.filter(isPublished).map(publishedTable);
  const needed = await neededChanges(consumption, published);
  const changes = [
    ...migrations.map((name) => `migration ${name}`),
    ...needed.map(({ table, isNew, missing }) =>
      isNew
        ? `table ${table.name}`
        : missing.map((column) => `column ${column.name} of ${table.name}`).join(", "),
    ),
  ];
  const { db, dialect, name } = consumption;
  const tables = [...INTERNAL_TABLES, ...published.map((table) => table.name)];
  const faults = await translatingErrors(dialect, () => dialect.tableFaults(db, tables));
  if (faults.length > 0) {
    const told = faults.map(({ table, what }) => `${table}: ${what}`).join("; ");
    throw new PipelineError(
      "CONSUMPTION_TABLE_DIFFERS",
      `tables of the ${name} have an unexpected form: ${told}; convert them, or drop them and publish again`,
    );
  }
  return found(changes.length === 0 ? "up to date" : `the next run creates: ${changes.join(", ")}`);
}

/** Whether the user has the rights for a run. */
export async function checkRights({ db, dialect }: Consumption): Promise<Finding<undefined>> {
  await translatingErrors(dialect, () => dialect.tryToWrite(db));
  return found("can create tables and write rows");
}

/** @param version `10.11.6-MariaDB` */
function isOlder(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split(".").map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}
