import { appendFile, cp, readdir, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { PipelineError } from "../../src/base/errors.js";
import type { Settings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/command.js";
import { visible } from "../end-to-end/failing.js";
import type { Place } from "../place.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { hashesOf, putFile } from "../storage.js";
import { makeWorkspace, SHIPPED_SQL, type Workspace } from "../workspace.js";
import { EXECUTION_DATE, readPartition, run } from "./running.js";

const HEADER = `/*
description: A model that wants more than it is given.
audits: [wants_more]
columns:
  content: { type: VARCHAR, description: What it has got hold of }
  execution_date: { type: VARCHAR, description: The partition }
*/
`;
const HARMLESS_MODEL = "SELECT 'nothing' AS content, {{ partition_key }} AS execution_date ORDER BY ALL";
const HARMLESS_AUDIT = "SELECT content FROM {{ model.name | ref }} WHERE content IS NULL";

/** What a version of the SQL can say, in the place where it is said. */
interface Wish {
  readonly model?: string;
  readonly audit?: string;
  readonly functions?: string;
}

const IN_FOLDERS: [string, string][] = [
  ["through a link in a zone", "read_text('<curated>/link.csv')"],
  ["through a folder that is a link", "read_text('<raw>/etc/hostname')"],
  ["from a raw file upwards", "read_text('<raw>/vouchers/../../outside.csv')"],
];

const ON_S3: [string, string][] = [
  ["another bucket that its keys can read", "read_text('<other>/own.csv')"],
  ["the names in another bucket", "(SELECT file AS content FROM glob('<other>/*'))"],
  ["the names in its own bucket", "(SELECT file AS content FROM glob('<raw>/*'))"],
  ["by another name of S3", "read_text(replace('<other>/own.csv', 's3:', 's3a:'))"],
];

/** Expects that the SQL of a version can read what it refers to in a place, and can do nothing else. */
export function describeLeastPower(place: Place): void {
  const isOnS3Place = place.startsWith("minio");
  let workspace: Workspace;
  let other: Settings["zones"];
  let server: Server;
  let requests: string[];
  /** What is there, as long as every refused run has left it so. */
  let untouched: object | undefined;

  beforeAll(async () => {
    workspace = await makeWorkspace({}, place);
    await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
    await run(workspace.settings);
    await run(workspace.settings, "2020-05-28");
    const { settings, folder } = workspace;
    await writeFile(path.join(folder, "outside.csv"), "content\noutside\n");
    await putFile(settings.zones.raw, "invoices/own.csv", "content\nother raw data\n");
    await putFile(settings.zones.curated, "_staging/2020-05-28-0/vouchers/rest.csv", "content\nrest\n");
    if (!isOnS3Place) {
      await symlink(path.join(folder, "outside.csv"), path.join(settings.zones.curated, "link.csv"));
      await symlink("/etc", path.join(settings.zones.raw, "etc"));
    }
    other = (await makeWorkspace({}, place)).settings.zones;
    await putFile(other.raw, "own.csv", "content\nof another system\n");
    server = createServer(({ method = "", url = "" }, response) => {
      requests.push(`${method} ${url}`);
      response.end("content\nfetched\n");
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  });
  beforeEach(() => {
    requests = [];
  });
  afterAll(() => {
    server.close();
  });

  /** Puts what is there in the place of names as `<curated>`. */
  function filled(text: string): string {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { zones } = workspace.settings;
    const names: Record<string, string> = {
      folder: workspace.folder,
      raw: zones.raw,
      curated: zones.curated,
      own: "execution_date=2020-05-29T000000/data.parquet",
      earlier: "execution_date=2020-05-28T000000/data.parquet",
      other: other.raw,
      server: `127.0.0.1:${port.toString()}`,
    };
    return text.replace(/<(\w+)>/g, (_all, name: string) => names[name] ?? "?");
  }

  /** The workspace with SQL of its own, to which a wish is added. */
  async function withWish({ model, audit, functions }: Wish): Promise<Settings> {
    const { folder } = await makeWorkspace({}, "local+sqlite");
    const sqlDirectory = path.join(folder, "sql");
    await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
    const sql = (name: string) => path.join(sqlDirectory, "v1", name);
    await writeFile(sql("provision/wishes.sql"), HEADER + filled(model ?? HARMLESS_MODEL));
    await writeFile(
      sql("audits/wants_more.sql"),
      `/*\ndescription: There is content.\n*/\n${filled(audit ?? HARMLESS_AUDIT)}`,
    );
    await appendFile(sql("functions/duckdb.sql"), filled(functions ?? ""));
    return { ...workspace.settings, sqlDirectory };
  }

  /** What is there and was not made by the run: what readers see, raw files, what lies beside the zones. */
  async function everything(): Promise<object> {
    const { settings, folder } = workspace;
    return {
      ...(await visible(workspace)),
      raw: await hashesOf(`${settings.zones.raw}/vouchers`),
      other: await hashesOf(other.raw),
      beside: (await readdir(folder)).filter((name) => !name.startsWith("consumption.db")).sort(),
    };
  }

  /** Expects a run with a wish to end in a fault of the SQL, and to have changed and asked nothing. */
  async function expectRefused(wish: Wish, code = "MODEL_FAILED"): Promise<void> {
    const settings = await withWish(wish);
    const before = untouched ?? (await everything());
    untouched = undefined;
    const fault: unknown = await run(settings).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(PipelineError);
    expect(fault).toMatchObject({ code });
    expect(await everything()).toEqual(before);
    expect(requests).toEqual([]);
    untouched = before;
  }

  const reading = (source: string) =>
    `SELECT content, {{ partition_key }} AS execution_date FROM ${source} ORDER BY ALL`;
  const telling = (expression: string) =>
    `SELECT CAST(${expression} AS VARCHAR) AS content, {{ partition_key }} AS execution_date ORDER BY ALL`;

  describe("a version of the SQL that needs nothing more", () => {
    it("is built", async () => {
      const settings = await withWish({ functions: "CREATE MACRO twice(number) AS number * 2;" });
      await run(settings, "2020-05-27");
      expect(await readPartition(settings, "provision.wishes", "2020-05-27")).toMatchObject([
        { content: "nothing" },
      ]);
    });
  });

  describe("a model cannot read", () => {
    it.each<[string, string]>([
      ["a file outside of the zones", "read_text('<folder>/outside.csv')"],
      ["it as CSV", "read_csv('<folder>/outside.csv')"],
      ["it by its name alone", "'<folder>/outside.csv'"],
      ["it as bytes", "(SELECT CAST(content AS VARCHAR) AS content FROM read_blob('<folder>/outside.csv'))"],
      [
        "it as JSON",
        "(SELECT json AS content FROM read_json_objects('<folder>/outside.csv', format = 'unstructured'))",
      ],
      ["it by a URL", "read_text('file://<folder>/outside.csv')"],
      ["it by a query in a text", "query('FROM read_text(''<folder>/outside.csv'')')"],
      ["a list that it is in", "read_text(['<raw>/vouchers/part.parquet', '<folder>/outside.csv'])"],
      ["the names of a folder", "(SELECT file AS content FROM glob('/etc/*'))"],
      [
        "what a CSV outside looks like",
        "(SELECT columns::VARCHAR AS content FROM sniff_csv('<folder>/outside.csv'))",
      ],
      ["the environment of the process", "read_text('/proc/self/environ')"],
      ["the command of another process", "read_text('/proc/1/cmdline')"],
      ["raw files of another folder", "read_text('<raw>/invoices/own.csv')"],
      ["raw files by a pattern", "read_text('<raw>/**')"],
      [
        "another partition",
        "(SELECT country_code AS content FROM read_parquet('<curated>/vouchers/<earlier>'))",
      ],
      [
        "its date's last partition",
        "(SELECT country_code AS content FROM read_parquet('<curated>/vouchers/<own>'))",
      ],
      ["what another run stages", "read_text('<curated>/_staging/2020-05-28-0/vouchers/rest.csv')"],
      ["what lies beside the zones", "read_text('<curated>/../outside.csv')"],
      ["a file of the SQL", `read_text('${path.join(SHIPPED_SQL, "v1/segments.json")}')`],
      ["a page of the web", "read_text('http://<server>/page')"],
      ["a page of the web as CSV", "read_csv('http://<server>/page.csv')"],
      ["a page of the web over TLS", "read_text('https://<server>/page')"],
      ["another S3", "read_text('s3://bucket/own.csv?s3_endpoint=<server>')"],
      ...(isOnS3Place ? ON_S3 : IN_FOLDERS),
      ["Hugging Face", "read_text('hf://datasets/some/one/file.csv')"],
    ])("%s", async (_what, source) => {
      await expectRefused({ model: reading(source) });
    });

    it.each<[string, string]>([
      ["the environment", "getenv('PATH')"],
      ["an option that there is not", "current_setting('no_such_option')"],
    ])("%s", async (_what, expression) => {
      await expectRefused({ model: telling(expression) });
    });
  });

  describe("a model cannot", () => {
    it.each<[string, string]>([
      ["write a second file", `${HARMLESS_MODEL}) TO '<folder>/x.csv'; COPY (${HARMLESS_MODEL}`],
      ["write over a partition", `${HARMLESS_MODEL}) TO '<curated>/vouchers/<own>'; COPY (${HARMLESS_MODEL}`],
      [
        "write over a raw file",
        `${HARMLESS_MODEL}) TO '<raw>/vouchers/part.parquet'; COPY (${HARMLESS_MODEL}`,
      ],
      ["write elsewhere, with a comment for the rest", `${HARMLESS_MODEL}) TO '<curated>/x.csv' --`],
      ["be two statements", `${HARMLESS_MODEL}; ${HARMLESS_MODEL}`],
      ["have a statement after it", `${HARMLESS_MODEL}; DROP VIEW curated.vouchers`],
      ["end in a quote that is open", `${HARMLESS_MODEL} 'x`],
      ["end in a comment that is open", `${HARMLESS_MODEL} /*`],
      ["write a log", reading("enable_logging(storage = 'file', storage_path = '<curated>/log')")],
      ["log on standard output", reading("\"enable_logging\" /* it */ (storage = 'stdout')")],
      ["print a profile", reading("enable_profiling()")],
      ["hide a call in a text", reading("query('SELECT * FROM enable_' || 'logging()')")],
      ["hide a call in a plan", reading("json_execute_serialized_sql('{}')")],
      ["show keys", reading("(SELECT secret_string AS content FROM duckdb_secrets(redact = false))")],
    ])("%s", async (_what, model) => {
      await expectRefused({ model });
    });
  });

  describe("an audit cannot", () => {
    it.each<[string, string]>([
      ["read another file", "FROM read_text('<folder>/outside.csv')"],
      ["write", "SELECT 1) TO '<folder>/x.csv'; COPY (SELECT 1"],
      ["be followed by a statement", "SELECT 1 LIMIT 0) LIMIT 0; SELECT * FROM (SELECT 1"],
      ["begin a log", "FROM enable_logging(storage = 'stdout')"],
      ["be a COPY", "COPY (SELECT 1) TO '<folder>/x.csv'"],
      ["be an ATTACH", "ATTACH '<folder>/x.db'"],
      ["be an INSTALL", "INSTALL httpfs"],
      ["be a LOAD", "LOAD httpfs"],
      ["be a SET", "SET enable_external_access = true"],
      ["be a RESET", "RESET lock_configuration"],
      ["be a PRAGMA", "PRAGMA enable_profiling"],
      ["be a CALL", "CALL enable_logging('HTTP')"],
      ["be a secret", "CREATE SECRET own (TYPE s3, ENDPOINT '<server>')"],
      ["be an INSERT", "INSERT INTO measures.row_accounting SELECT 1"],
    ])("%s", async (_what, audit) => {
      await expectRefused({ audit });
    });
  });

  describe("the functions cannot", () => {
    it("read another file", async () => {
      const functions = "CREATE MACRO outside() AS TABLE FROM read_text('<folder>/outside.csv');";
      await expectRefused({ functions, model: reading("outside()") });
    });

    it.each<[string, string]>([
      ["write", "COPY (SELECT 1) TO '<curated>/x.csv';"],
      ["export", "EXPORT DATABASE '<curated>/export';"],
      ["attach", "ATTACH ':memory:' AS more;"],
      ["set an option", "SET threads = 1;"],
      ["send the keys elsewhere", "CREATE OR REPLACE SECRET zone_0 (TYPE s3, ENDPOINT '<server>');"],
      ["keep a secret", "CREATE PERSISTENT SECRET own (TYPE s3);"],
      ["make tables", "CREATE TABLE own AS SELECT 1;"],
      ["begin a log", "CREATE MACRO log() AS TABLE FROM enable_logging(storage = 'stdout');"],
      ["hide a statement behind a function", "CREATE MACRO own() AS 1; CALL enable_profiling();"],
    ])("%s", async (_what, functions) => {
      await expectRefused({ functions });
    });
  });

  describe("a fault of least power", () => {
    it("has one message with exit code 3, which names the file and has no stack", async () => {
      const { sqlDirectory } = await withWish({ model: reading("read_text('<folder>/outside.csv')") });
      const environment = { ...workspace.environment, SQL_DIRECTORY: sqlDirectory };
      const { code, stdout, stderr } = await pipeline(["-e", EXECUTION_DATE], environment);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toMatch(/^error MODEL_FAILED: sql\/v1\/provision\/wishes\.sql: Permission Error: /);
      expect(stderr).not.toContain("    at ");
    });
  });

  if (isOnS3Place) {
    describe("a model that knows the staging of its run", () => {
      it("cannot reach another bucket from there: its request has another signature", async () => {
        const staging =
          "list_filter(current_setting('allowed_directories'), lambda place: contains(place, '_staging'))[1]";
        await expectRefused(
          { model: reading(`read_text(${staging} || '../../../../' || substr('<other>/own.csv', 6))`) },
          "ZONE_NOT_USABLE",
        );
      });
    });
  }
}
