import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline, type Ended } from "../../cli/command.js";
import { readTable } from "../../consumption/reading.js";
import { TEST_S3, type Place } from "../../place.js";
import { hashesOf, listFiles, putFile } from "../../storage.js";
import { makeWorkspace, PROJECT, type Workspace } from "../../workspace.js";

const PLACES = ["local+sqlite", "minio+mysql", "minio+mariadb", "minio+sqlite", "local+mysql"] as const;
const ANSWERS = [
  "voucher_amount_usage",
  "voucher_answers",
  "voucher_country_most_used",
  "voucher_frequent_most_used",
  "voucher_recency_most_used",
];
const REAL_FILE = process.env["VOUCHERS_2018_FILE"];

/** What a run in a place has left, and all that it has said. */
interface Outcome {
  readonly workspace: Workspace;
  readonly ended: Ended;
  readonly files: object;
  readonly rows: object;
}

async function runIn(place: Place, executionDate: string, raw: Record<string, Buffer>): Promise<Outcome> {
  const workspace = await makeWorkspace({}, place);
  const { settings, environment } = workspace;
  for (const [name, content] of Object.entries(raw)) await putFile(settings.zones.raw, name, content);
  const ended = await pipeline(["-e", executionDate, "--json"], environment);
  const rows: Record<string, unknown[]> = {};
  for (const table of ANSWERS) rows[table] = sorted(await readTable(settings, `SELECT * FROM ${table}`));
  const files = {
    curated: await hashesOf(settings.zones.curated),
    provision: await hashesOf(settings.zones.provision),
  };
  return { workspace, ended, files, rows };
}

/** By their texts: databases sort by collations of their own. */
function sorted(rows: readonly unknown[]): unknown[] {
  return [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function filesOf(folder: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const name of await listFiles(folder)) files[name] = await readFile(path.join(folder, name));
  return files;
}

describe("the sample", () => {
  const outcomes = new Map<Place, Outcome>();
  beforeAll(async () => {
    const raw = await filesOf(path.join(PROJECT, "data/raw"));
    for (const place of PLACES) outcomes.set(place, await runIn(place, "2020-05-29", raw));
  });
  const outcome = (place: Place) => {
    const found = outcomes.get(place);
    if (found === undefined) throw new Error(`nothing ran in ${place}`);
    return found;
  };

  it.each(PLACES)("gives the same bytes and the same rows in %s", (place) => {
    expect(outcome(place).ended).toMatchObject({ code: 0, stderr: "" });
    expect(outcome(place).files).toEqual(outcome("local+sqlite").files);
    expect(outcome(place).rows).toEqual(outcome("local+sqlite").rows);
  });

  it.each(PLACES)("leaves no secret in outputs and records of %s", async (place) => {
    const { workspace, ended } = outcome(place);
    const runs = await readTable(workspace.settings, "SELECT * FROM pipeline_runs");
    const publications = await readTable(workspace.settings, "SELECT * FROM publications");
    const password = decodeURIComponent(new URL(workspace.settings.consumptionUrl).password);
    const secrets = [TEST_S3?.secretAccessKey ?? "", password].filter((secret) => secret !== "");
    for (const said of [ended.stdout, ended.stderr, JSON.stringify([runs, publications])]) {
      for (const secret of secrets) expect(said).not.toContain(secret);
    }
  });
});

(REAL_FILE === undefined ? describe.skip : describe)("the real history of 2018", () => {
  it("gives the same bytes and the same rows everywhere", async () => {
    const raw = { "vouchers/vouchers-2018.parquet.gzip": await readFile(REAL_FILE ?? "") };
    const local = await runIn("local+sqlite", "2018-07-31", raw);
    expect(local.ended.code).toBe(0);
    for (const place of ["minio+mysql", "minio+mariadb"] as const) {
      const { files, rows } = await runIn(place, "2018-07-31", raw);
      expect(files).toEqual(local.files);
      expect(rows).toEqual(local.rows);
    }
  });
});

describe("mixed settings", () => {
  it("have raw on S3 and write to folders, and the other way round", async () => {
    const raw = await filesOf(path.join(PROJECT, "data/raw"));
    const onS3 = await makeWorkspace({}, "minio+sqlite");
    const local = await makeWorkspace({}, "local+sqlite");
    for (const [name, content] of Object.entries(raw)) {
      await putFile(onS3.settings.zones.raw, name, content);
      await putFile(local.settings.zones.raw, name, content);
    }
    const { RAW_ZONE: rawOnS3 = "" } = onS3.environment;
    const { RAW_ZONE: rawInFolder = "" } = local.environment;
    const into = { ...onS3.environment, ...local.environment, RAW_ZONE: rawOnS3 };
    const outOf = { ...onS3.environment, RAW_ZONE: rawInFolder };
    expect(await pipeline(["-e", "2020-05-29"], into)).toMatchObject({ code: 0, stderr: "" });
    expect(await pipeline(["-e", "2020-05-29"], outOf)).toMatchObject({ code: 0, stderr: "" });
    expect(await hashesOf(local.settings.zones.provision)).toEqual(
      await hashesOf(onS3.settings.zones.provision),
    );
  });
});
