import { allEnded } from "../../base/concurrency.js";
import { listLiteral } from "../../sql-text/literal.js";
import { type Builder, type Query } from "../builder.js";
import { duckDbBuilder, type Engine } from "../duckdb/duckdb-engine.js";
import { filesStatement } from "../duckdb/duckdb-statements.js";
import { refusalOfFunctions, refusalOfSelect, type Powers } from "../refusals.js";
import { SparkError } from "./spark-errors.js";
import type { SparkSession } from "./spark-session.js";
import {
  fetchedFolder,
  keptFile,
  keptFolder,
  shownFile,
  orderedStatement,
  sparkViewStatement,
  spreadStatement,
} from "./spark-statements.js";

/** Only a call of a Java method has side effects. */
const POWERS: Powers = {
  makesFunction: /^create (or replace )?temporary function /i,
  functionStatement: "CREATE TEMPORARY FUNCTION",
  doMore: /^(reflect|java_method|try_reflect)$/,
};

/** A finished model, as Spark finds it. */
interface Relation {
  /** Its files, or folders of them; created at the first use. */
  readonly uris: () => Promise<readonly string[]>;
  /** The view in the session, once a query has asked for it. */
  view?: Promise<void>;
}

/** The S3 storage of a run for data that nobody else reads. */
export interface Workspace {
  /** Its address. */
  readonly folder: string;
  /**
   * The files below an address in it, or in the staging of a partition, sorted by name, without the files that Spark
   * hides.
   */
  readonly list: (folder: string) => Promise<readonly { readonly uri: string; readonly bytes: number }[]>;
}

/**
 * Builds models with Spark, together with a DuckDB that reads and writes small models. Both find every finished
 * model: Spark's own output is on S3, and DuckDB's output goes there when a query of Spark needs it.
 * @param duckDb can read the raw files and the folder, and write to the folder.
 */
export function sparkBuilder(duckDb: Engine, session: SparkSession, { folder, list }: Workspace): Builder {
  const local = duckDbBuilder(duckDb);
  const relations = new Map<string, Relation>();
  /** The folders that Spark has written. */
  const written = new Set<string>();

  const attach = async (name: string, uris: readonly string[], found: readonly string[] = uris) => {
    await duckDb.attachFiles(name, uris);
    relations.set(name, { uris: () => Promise.resolve(found) });
  };
  /** Makes a finished model visible in the session, once. */
  const show = async (name: string) => {
    const relation = relations.get(name);
    if (relation === undefined) throw new RangeError(`${name} was not built`);
    relation.view ??= relation.uris().then((uris) => session.run(sparkViewStatement(name, uris)));
    await relation.view;
  };
  const showAll = ({ references }: Query) => Promise.all(references.map(show));
  const spread = async (query: Query, place: string) => {
    await showAll(query);
    await session.run(spreadStatement(query.sql, place));
    written.add(place);
    return list(place);
  };
  /** Fetches the rows of a small query, in their order, as a SELECT of DuckDB. */
  const fetched = async (name: string, query: Query) => {
    const place = fetchedFolder(folder, name);
    await showAll(query);
    await session.run(orderedStatement(query.sql, place));
    const files = await list(place);
    return filesStatement(files.map(({ uri }) => uri));
  };

  return {
    version: `${session.version}, ${duckDb.version}`,
    makeFunctions: async (functions) => {
      if (functions.dialect === "duckdb") return local.makeFunctions(functions);
      refuse(refusalOfFunctions(functions.sql, POWERS));
      // A script is one statement for the server. It begins on the first line, for the line numbers of errors.
      await session.run(`BEGIN ${functions.sql}\nEND`);
    },
    assertSelects: async (query) => {
      if (query.dialect === "duckdb") return local.assertSelects(query);
      refuse(refusalOfSelect(query.sql, POWERS));
    },
    keepLarge: async (name, queries) => {
      const parts = queries.map(async (query, part) => {
        if (query.dialect === "spark") {
          const place = keptFolder(folder, name, part);
          return { files: (await spread(query, place)).map(({ uri }) => uri), shown: place };
        }
        const file = keptFile(folder, name, part);
        await duckDb.writeTemporary(query.sql, file);
        return { files: [file], shown: file };
      });
      // No statement may outlive the engine.
      const made = await allEnded(parts);
      await attach(
        name,
        made.flatMap(({ files }) => files),
        made.map(({ shown }) => shown),
      );
    },
    keep: async (name, query) => {
      const isFetched = query.dialect === "spark";
      await duckDb.createTable(name, isFetched ? await fetched(name, query) : query.sql);
      const file = shownFile(folder, name);
      relations.set(name, {
        uris: async () => {
          await duckDb.writeTemporary(`SELECT * FROM ${name}`, file);
          return [file];
        },
      });
    },
    write: async (name, query, place) => {
      if (query.dialect === "duckdb") return local.write(name, query, place);
      if (!place.isLarge)
        return local.write(name, { ...query, sql: await fetched(name, query), dialect: "duckdb" }, place);
      const files = await spread(query, folderOf(place.file));
      const uris = files.map(({ uri }) => uri);
      const [counted] = await duckDb.rows(
        `SELECT sum(num_rows) AS row_count FROM parquet_file_metadata(${listLiteral(uris)})`,
      );
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      return { rows: Number(counted?.["row_count"]), bytes, uris };
    },
    attach: (name, uris) => {
      const folders = [...new Set(uris.map(folderOf))];
      // Many files are the only ones of their folders, so the folders are enough, and the text of a statement does
      // not grow with the data. One file may be in a folder with others.
      const areWhole = uris.length > 1 || folders.every((place) => written.has(place));
      return attach(name, uris, areWhole ? folders : uris);
    },
    columnsOf: (name) => duckDb.columnsOf(name),
    rows: async (query) => {
      if (query.dialect === "duckdb") return duckDb.rows(query.sql);
      await showAll(query);
      return session.rows(query.sql);
    },
  };
}

function folderOf(uri: string): string {
  return uri.slice(0, uri.lastIndexOf("/"));
}

function refuse(refusal: string | undefined): void {
  if (refusal !== undefined) throw new SparkError(refusal, undefined, undefined, undefined);
}
