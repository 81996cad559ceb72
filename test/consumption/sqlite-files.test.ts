import { execFileSync, spawnSync } from "node:child_process";
import {
  chmod,
  chown,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { PipelineError } from "../../src/base/errors.js";
import { SqliteConnection } from "../../src/base/sqlite-driver.js";
import { translatingErrors, type Consumption } from "../../src/consumption/consumption.js";
import { readAnswersOf } from "../../src/consumption/read-answers.js";
import { readNewestPublication, readPublications } from "../../src/consumption/read-publications.js";
import { readRunHistory } from "../../src/consumption/recorded-runs.js";
import { openSqlite, openSqliteForReading } from "../../src/consumption/sqlite.js";
import { serve } from "../api/serving.js";
import { MAIN } from "../cli/command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { makeFolder, PROJECT, SHIPPED_SQL, type Workspace } from "../workspace.js";

const ASKED = "/v1/vouchers/most-used?country_code=Peru&segment_name=frequent_segment&total_orders=7";
const NOBODY = 65_534;

let made: Workspace;
let original: string;
beforeAll(async () => {
  made = await runOver([...times(3, voucher()), ...times(2, voucher({ country_code: "\uFFFDland" }))]);
  original = made.settings.consumptionUrl.slice("sqlite:".length);
});

/** A copy of the database of a run, alone in a folder. */
async function copy(): Promise<string> {
  const file = path.join(await makeFolder(), "consumption.db");
  await copyFile(original, file);
  return file;
}

/** Says statements to a database file as another program would. */
function change(file: string, statements: string): void {
  const connection = new SqliteConnection(file, "existing");
  connection.exec(statements);
  connection.close();
}

const NOT_UTF_8 =
  "UPDATE voucher_answers SET country_code = CAST(x'50ff7275' AS TEXT) WHERE country_code = 'Peru'";

describe("a SQLite file that is damaged", () => {
  it("is a fault with a code, wherever the damage is, and never ends the process", async () => {
    const file = await copy();
    const bytes = await readFile(original);
    const codes = new Set<string>();
    for (let round = 0; round < 60; round += 1) {
      for (const suffix of ["-wal", "-shm"]) await rm(file + suffix, { force: true });
      const damaged = Buffer.from(bytes);
      const place = Math.floor((damaged.length * round) / 60);
      damaged.fill(round % 2 === 0 ? 0xff : round, place, place + 300);
      await writeFile(file, round % 7 === 6 ? damaged.subarray(0, place) : damaged);
      try {
        await readEverything(file);
      } catch (error) {
        codes.add(error instanceof PipelineError ? error.code : String(error));
      }
    }
    expect([...codes]).toEqual(["CONSUMPTION_NOT_USABLE"]);
  });

  it("by a text that is not UTF-8 ends a run with exit code 2 and one message", async () => {
    const file = await copy();
    change(file, NOT_UTF_8);
    await expect(readEverything(file)).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining("a text in the column country_code is not UTF-8"),
    });
    await expect(run({ ...made.settings, consumptionUrl: `sqlite:${file}` })).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
    });
  });

  it.each([
    ["execution_date", "x'00ff'", "which is not an execution date"],
    ["execution_date", "NULL", "which is not an execution date"],
    ["published_at", "'soon'", "which is not a moment"],
    ["published_at", "7", "which is not a moment"],
    ["row_counts", "x'00ff'", "not JSON"],
  ])("by a publication with the %s %s is one message", async (column, value, said) => {
    const file = await copy();
    change(file, `UPDATE publications SET ${column} = ${value}`);
    await expect(readEverything(file)).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining(said),
    });
  });

  it.each([
    ["execution_date", "x'00ff'"],
    ["stages", "x'00ff'"],
    ["outcome", "'lost'"],
  ])("by a run with the %s %s is one message", async (column, value) => {
    const file = await copy();
    change(file, `UPDATE pipeline_runs SET ${column} = ${value}`);
    await expect(readEverything(file)).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining("with invalid values"),
    });
  });

  it("may have texts with the replacement character, like raw data", async () => {
    const answers = await readEverything(original);
    expect(new Set([...(answers?.cells() ?? [])].map(({ countryCode }) => countryCode))).toEqual(
      new Set(["Peru", "\uFFFDland"]),
    );
  });

  it("next to a damaged lock file is reported separately", async () => {
    const file = await copy();
    await mkdir(`${file}.locks`);
    await writeFile(`${file}.locks/migration`, "garbage ".repeat(20));
    await expect(run({ ...made.settings, consumptionUrl: `sqlite:${file}` })).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining(`${file}.locks/migration`),
    });
  });

  async function readEverything(file: string) {
    const database = await openSqliteForReading(file);
    if (database === undefined) throw new Error(`${file} is not there`);
    try {
      await readPublications(database, { limit: 10 });
      await readRunHistory(database, { limit: 10 });
      const publication = await readNewestPublication(database);
      const known = { sqlDirectory: SHIPPED_SQL, warn: () => undefined };
      return publication && (await readAnswersOf(database, publication, known));
    } finally {
      await database.close();
    }
  }
});

describe("a SQLite file that a frozen process writes", () => {
  it("makes others wait for a limited time, and the message names the current run", async () => {
    const file = await copy();
    const frozen = new SqliteConnection(file, "existing");
    frozen.exec("UPDATE pipeline_runs SET outcome = 'running', started_by = 'ann@elsewhere process 7'");
    frozen.exec("BEGIN IMMEDIATE");
    const waiting = await openSqlite(file, undefined, 300);
    await expect(standInLine(waiting)).rejects.toMatchObject({
      code: "CONSUMPTION_UNAVAILABLE",
      message: expect.stringMatching(
        /busy with another writer for 0 s. In progress: run \S+ by ann@elsewhere process 7 since 20/,
      ),
    });
    frozen.exec("ROLLBACK");
    await standInLine(waiting);
    await waiting.close();
    frozen.close();
  });

  const standInLine = ({ db, dialect }: Consumption) =>
    translatingErrors(dialect, () => db.updateTable("publish_lock").set({ publishes: 1 }).execute());
});

describe("the api over a SQLite file", () => {
  it.each<[string, (file: string) => Promise<void>]>([
    ["is removed", (file) => rename(file, `${file}.away`)],
    ["is emptied", (file) => truncate(file, 0)],
    ["is overwritten by something else", (file) => writeFile(file, "no database ".repeat(1_000))],
    [
      "is replaced by a folder",
      async (file) => {
        await rm(file);
        await mkdir(file);
      },
    ],
    [
      "holds a text that is not UTF-8",
      async (file) => {
        await copyFile(original, `${file}.new`);
        change(`${file}.new`, `${NOT_UTF_8}; UPDATE publications SET run_id = 'another'`);
        await rename(`${file}.new`, file);
      },
    ],
  ])("answers from memory when the file %s, and reports it", async (_what, damage) => {
    const file = await copy();
    let now = new Date();
    const { url, store } = await serve({ ...made.settings, consumptionUrl: `sqlite:${file}` }, () => now);
    const ask = async (address: string) => (await fetch(url + address)).status;
    expect(await ask(ASKED)).toBe(200);
    await damage(file);
    await expect(store.refresh()).rejects.toMatchObject({
      kind: expect.stringMatching("usage|unavailable"),
    });
    expect(await ask(ASKED)).toBe(200);
    now = new Date(now.getTime() + 400_000);
    expect(await ask("/readyz")).toBe(503);

    await rm(file, { recursive: true, force: true });
    await cp(original, file);
    await store.refresh();
    now = new Date();
    expect(await ask("/readyz")).toBe(200);
  });
});

/** Root without its power over the files of others: the files of the database belong to another user. Node can lie anywhere. */
const WITHOUT_POWER = ["--bounding-set=-all", "--inh-caps=-all"];
const canGivePowerUp =
  process.getuid?.() === 0 &&
  spawnSync("setpriv", [...WITHOUT_POWER, process.execPath, "--version"]).status === 0;

/** What a command says as a user to whom the database does not belong. */
function asAnotherUser(file: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    "setpriv",
    [...WITHOUT_POWER, process.execPath, MAIN, ...args],
    {
      encoding: "utf8",
      env: { ...made.environment, CONSUMPTION_URL: `sqlite:${file}`, PATH: process.env["PATH"] },
    },
  );
  return { status, said: stdout + stderr };
}

/** Only root can give a file to another user. */
(canGivePowerUp ? describe : describe.skip)("a SQLite file of another user", () => {
  const shared = async (mode = 0o755) => {
    const file = await copy();
    const folder = path.dirname(file);
    await chmod(file, 0o644);
    await chmod(folder, mode);
    for (const given of [file, folder]) await chown(given, NOBODY, NOBODY);
    return file;
  };

  it.each([
    ["in a folder that only its owner may write", 0o755],
    ["in a folder that everybody may write", 0o777],
  ])("%s is readable, and nothing is left next to it", async (_where, mode) => {
    const file = await shared(mode);
    expect(asAnotherUser(file, "status")).toMatchObject({
      status: 0,
      said: expect.stringContaining("all is well"),
    });
    expect(await readdir(path.dirname(file))).toEqual(["consumption.db"]);
  });

  it("is readable while its owner has it open", async () => {
    const file = await shared();
    const owner = await openSqlite(file);
    await owner.db.updateTable("publish_lock").set({ publishes: 7 }).execute();
    expect(asAnotherUser(file, "status")).toMatchObject({ status: 0 });
    await owner.close();
  });

  it("with changes that only its owner can read is refused, and the message names the owner", async () => {
    const file = await shared();
    execFileSync(process.execPath, ["--input-type=module", "-e", KILLED_WHILE_OPEN, file], { cwd: PROJECT });
    await rm(`${file}-shm`);
    expect(asAnotherUser(file, "status")).toMatchObject({
      status: 2,
      said: expect.stringContaining("as the owner of the database"),
    });
  });

  it.each([
    ["status", "that may not be read", 0o600],
    ["withdraw", "that may only be read", 0o644],
  ])(
    "makes %s end with exit code 2 and one message if it is one %s, and nothing is left next to it",
    async (command, _what, mode) => {
      const file = await shared(0o777);
      await chmod(file, mode);
      const args = command === "withdraw" ? [command, "-e", "2020-05-29", "--why", "a test"] : [command];
      const { status, said } = asAnotherUser(file, ...args);
      expect(said).toMatch(
        /^error CONSUMPTION_NOT_USABLE: the SQLite database .* cannot be opened or written.*\n$/,
      );
      expect(status).toBe(2);
      expect(await readdir(path.dirname(file))).toEqual(["consumption.db"]);
    },
  );
});

/** Leaves what it has written in the file beside the database, as a process does that is killed. */
const KILLED_WHILE_OPEN = `
  import { spawnSync } from "node:child_process";
  const code = \`const { DatabaseSync } = require("@photostructure/sqlite");
    new DatabaseSync(process.argv[1]).exec("CREATE TABLE extra (a)");
    process.kill(process.pid, "SIGKILL");\`;
  spawnSync(process.execPath, ["-e", code, process.argv[1]]);
`;

const canMount = spawnSync("unshare", ["--mount", "true"]).status === 0;

(canMount ? describe : describe.skip)("a SQLite file on a mount that is read-only", () => {
  let folder: string;
  let view: string;
  beforeAll(async () => {
    folder = path.dirname(await copy());
    view = await makeFolder();
    execFileSync("mount", ["--bind", folder, view]);
    execFileSync("mount", ["-o", "remount,ro,bind", view]);
  });
  afterAll(() => {
    execFileSync("umount", ["--lazy", view]);
  });

  it("gives the api the publications of another host", async () => {
    const settings = { ...made.settings, consumptionUrl: `sqlite:${path.join(view, "consumption.db")}` };
    const { url, store } = await serve(settings);
    const answer = async () => (await (await fetch(url + ASKED)).json()) as { voucher_amount: number };
    expect(await answer()).toMatchObject({ voucher_amount: 2640 });

    await putVouchers(made.settings.zones.raw, times(9, voucher({ voucher_amount: "1111" })));
    await run({ ...made.settings, consumptionUrl: `sqlite:${path.join(folder, "consumption.db")}` });
    let seen = 0;
    for (const end = Date.now() + 20_000; seen !== 1111 && Date.now() < end;) {
      // What the run has not moved into the file yet cannot be read here.
      await store.refresh().catch(() => undefined);
      seen = (await answer()).voucher_amount;
    }
    expect(seen).toBe(1111);
  });
});
