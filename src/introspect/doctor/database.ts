import { PipelineError } from "../../base/errors.js";
import { translatingErrors, type Consumption } from "../../consumption/consumption.js";
import { pendingMigrations } from "../../consumption/migrate.js";
import { missingTables } from "../../consumption/published-tables.js";
import { INTERNAL_TABLES } from "../../consumption/schema.js";
import type { SqlVersion } from "../../models/load.js";
import { isPublished } from "../../models/model.js";
import { publishedTable } from "../../run/publish.js";
import { found, type Finding } from "./examination.js";

/** A database that was looked at. */
export interface CheckedDatabase {
  readonly consumption: Consumption;
  /** By how much the clock of its server is ahead; undefined if it has none of its own. */
  readonly aheadMilliseconds: number | undefined;
}

/** Whether the server, where there is one, is of a version that is supported. */
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

/** Whether the tables are as this version of the pipeline needs them, or can be made so. */
export async function checkTables(
  consumption: Consumption,
  { models }: SqlVersion,
): Promise<Finding<undefined>> {
  const migrations = await pendingMigrations(consumption);
  const published = models.filter(isPublished).map(publishedTable);
  const missing = await missingTables(consumption, published);
  const changes = [
    ...migrations.map((name) => `migration ${name}`),
    ...missing.map(({ name }) => `table ${name}`),
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

/** Whether the user may do what a run does there. */
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
