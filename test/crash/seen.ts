import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Consumption } from "../../src/consumption/consumption.js";
import { openConsumptionForReading } from "../../src/consumption/open-consumption.js";
import { readAnswers } from "../../src/consumption/read-answers.js";
import { readNewestPublication } from "../../src/consumption/read-publications.js";
import type { PublishedRow, PublishedTables, RunOutcome } from "../../src/consumption/schema.js";
import type { Settings } from "../../src/settings/settings.js";
import { readSegments } from "../../src/voucher/read-segments.js";
import { SEGMENT_KINDS } from "../../src/voucher/segment-rules.js";
import { STAGING } from "../../src/zones/zone.js";
import { hashesOf } from "../storage.js";
import { PROJECT } from "../workspace.js";
import { COUNTRIES } from "./raw-variants.js";

/** All that readers can see, but for what says which run made it and when; and the runs themselves. */
export interface Seen {
  /** The SHA-256 of each file, by its zone and path. */
  readonly files: Readonly<Record<string, string>>;
  readonly database: SeenDatabase;
  /** The outcome of each recorded run, by its id. They are not what readers come for: no comparison minds them. */
  readonly runs: Readonly<Record<string, RunOutcome>>;
}

export interface SeenDatabase {
  /** The rows of each table. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** What is answered for each country and segment. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/** Where no run has been. */
export const NOTHING: Seen = { files: {}, database: { tables: {}, answers: {} }, runs: {} };

const TABLES = [
  "publications",
  "voucher_amount_usage",
  "voucher_answers",
  "voucher_country_most_used",
  "voucher_frequent_most_used",
  "voucher_recency_most_used",
];

const SEGMENTS = {
  frequent_segment: ["0-4", "5-13", "13-37", "37+"],
  recency_segment: ["0-30", "30-60", "60-90", "90-120", "120-180", "180+"],
};

/** Looks as readers do. */
export async function look(settings: Settings): Promise<Seen> {
  const [files, database] = await Promise.all([seenFiles(settings), seenDatabase(settings)]);
  return { files, ...database };
}

async function seenFiles({ zones }: Settings): Promise<Seen["files"]> {
  const filesOf = async (zone: "curated" | "provision") =>
    Object.entries(await hashesOf(zones[zone]))
      .filter(([file]) => !file.startsWith(`${STAGING}/`))
      .map(([file, hash]) => [`${zone}/${file}`, hash] as const);
  const files = await Promise.all([filesOf("curated"), filesOf("provision")]);
  return Object.fromEntries(files.flat());
}

async function seenDatabase({ consumptionUrl }: Settings): Promise<Pick<Seen, "database" | "runs">> {
  const consumption = await openConsumptionForReading(consumptionUrl);
  if (consumption === undefined) return NOTHING;
  try {
    const { runs, tables } = await readTables(consumption);
    return { database: { tables, answers: await answersOf(consumption) }, runs };
  } finally {
    await consumption.close();
  }
}

/** In one consistent read. A table that is not there yet is one without rows. */
function readTables({ db }: Consumption): Promise<Pick<SeenDatabase, "tables"> & Pick<Seen, "runs">> {
  return db.transaction().execute(async (transaction) => {
    const present = (await transaction.introspection.getTables()).map(({ name }) => name);
    const published = transaction.withTables<PublishedTables>();
    const tables: Record<string, string[]> = {};
    for (const table of TABLES.filter((name) => present.includes(name))) {
      const rows = await published.selectFrom(table).selectAll().execute();
      if (rows.length > 0) tables[table] = rows.map(textOf).sort();
    }
    const runs = present.includes("pipeline_runs")
      ? await transaction.selectFrom("pipeline_runs").select(["run_id", "outcome"]).execute()
      : [];
    return { tables, runs: Object.fromEntries(runs.map(({ run_id, outcome }) => [run_id, outcome])) };
  });
}

function textOf(row: PublishedRow): string {
  return JSON.stringify({ ...row, run_id: undefined, published_at: undefined });
}

/** What the api would answer. */
async function answersOf(consumption: Consumption): Promise<SeenDatabase["answers"]> {
  const publication = await readNewestPublication(consumption);
  if (publication === undefined) return {};
  const segments = await readSegments(path.join(PROJECT, "sql", publication.sqlVersion));
  const answers = await readAnswers(consumption, publication, { segments, certainty: undefined });
  const questions = SEGMENT_KINDS.flatMap((kind) =>
    SEGMENTS[kind].flatMap((segment) => COUNTRIES.map((country) => ({ kind, segment, country }))),
  );
  return Object.fromEntries(
    questions.map(({ kind, segment, country }) => [
      `${country} ${segment}`,
      {
        executionDate: publication.executionDate.partitionKey,
        voucherAmount: answers.cell(kind, country, segment)?.voucherAmount ?? null,
      },
    ]),
  );
}

/**
 * What a run that was killed must not leave: a file that is neither the old nor the new one, or is gone, and a database
 * that is neither all old nor all new.
 */
export function faultsBetween(seen: Seen, before: Seen, after: Seen): string[] {
  const isWhole = [before, after].some(({ database }) => isDeepStrictEqual(seen.database, database));
  const parts = isWhole ? [] : partsOf(seen.database, before.database, after.database);
  return [
    ...faultyFiles(seen.files, before.files, after.files),
    ...(isWhole ? [] : [`the database is neither all old nor all new: ${parts.join(", ")}`]),
  ];
}

/** Of which state each part of a database is. */
function partsOf(seen: SeenDatabase, before: SeenDatabase, after: SeenDatabase): string[] {
  const part = (name: string, read: (database: SeenDatabase) => unknown) => {
    const states = Object.entries({ old: before, new: after }).filter(([, state]) =>
      isDeepStrictEqual(read(seen), read(state)),
    );
    return `${name} ${states.map(([state]) => state).join(" and ") || "neither"}`;
  };
  return [
    ...TABLES.map((table) => part(table, ({ tables }) => tables[table])),
    part("answers", (of) => of.answers),
  ];
}

function faultyFiles(seen: Seen["files"], before: Seen["files"], after: Seen["files"]): string[] {
  const names = new Set([seen, before, after].flatMap((files) => Object.keys(files)));
  return [...names].flatMap((name) => {
    const [was, becomes, is] = [before[name], after[name], seen[name]];
    if (is === undefined) return was === undefined || becomes === undefined ? [] : [`${name} is gone`];
    if (is === was || is === becomes) return [];
    return [
      was === undefined && becomes === undefined ? `${name} is nobody's` : `${name} is neither old nor new`,
    ];
  });
}

/** In what something seen differs from what should be seen. */
export function faultsAgainst(seen: Seen, expected: Seen): string[] {
  return faultsBetween(seen, expected, expected);
}
