import { orderedStatement, sparkViewStatement, spreadStatement } from "../engine/spark/statements.js";
import {
  attachStatement,
  copyStatement,
  tableStatement,
  temporaryFile,
  temporaryStatement,
} from "../engine/statements.js";
import type { DialectName } from "../models/dialect.js";
import type { PlannedStep } from "./plan.js";

/** A statement, and who is told it. */
export interface PlannedStatement {
  readonly engine: DialectName;
  readonly sql: string;
}

/** Where a run would put what it makes. */
export interface PlannedPlaces {
  /** The one file that a model is staged as; undefined where it is not written. */
  readonly staged: string | undefined;
  /** The folder on this machine. */
  readonly temporary: string;
  /** The folder on S3 that a cluster finds what it is given in. */
  readonly staging: string;
}

/**
 * The statements that build a model.
 * @param isShown whether the cluster reads it.
 */
export function buildStatements(
  { model: { name, layer }, rendered, beside }: PlannedStep,
  { staged, temporary, staging }: PlannedPlaces,
  isShown: boolean,
): PlannedStatement[] {
  const duckDb = (...statements: string[]): PlannedStatement[] =>
    statements.map((sql) => ({ engine: "duckdb", sql }));
  const spark = (...statements: string[]): PlannedStatement[] =>
    statements.map((sql) => ({ engine: "spark", sql }));
  const shown = (...uris: string[]) => (isShown ? spark(sparkViewStatement(name, uris)) : []);
  const isOnCluster = rendered.dialect === "spark";
  if (layer === "raw" && (isOnCluster || isShown)) {
    const place = `${staging}/kept/${name}`;
    const parts = [rendered, ...(beside === undefined ? [] : [beside])].map(({ sql, dialect }, index) => {
      const part = `${place}/${index.toString()}`;
      return dialect === "spark"
        ? { made: spark(spreadStatement(sql, part)), files: `${part}/*.parquet`, uri: part }
        : {
            made: duckDb(temporaryStatement(sql, `${part}.parquet`)),
            files: `${part}.parquet`,
            uri: `${part}.parquet`,
          };
    });
    return [
      ...parts.flatMap(({ made }) => made),
      ...duckDb(
        attachStatement(
          name,
          parts.map(({ files }) => files),
        ),
      ),
      ...shown(...parts.map(({ uri }) => uri)),
    ];
  }
  if (layer === "curated" && staged !== undefined && isOnCluster) {
    const folder = staged.slice(0, staged.lastIndexOf("/"));
    return [
      ...spark(spreadStatement(rendered.sql, folder)),
      ...duckDb(attachStatement(name, [`${folder}/*.parquet`])),
      ...shown(folder),
    ];
  }
  const fetched = `${staging}/fetched/${name}`;
  const select = isOnCluster
    ? `SELECT * FROM read_parquet(['${fetched}/*.parquet'], hive_partitioning = false)`
    : rendered.sql;
  const before = isOnCluster ? spark(orderedStatement(rendered.sql, fetched)) : [];
  if (staged !== undefined)
    return [
      ...before,
      ...duckDb(copyStatement(select, staged), attachStatement(name, [staged])),
      ...shown(staged),
    ];
  if (layer !== "raw") {
    const file = `${staging}/shown/${name}.parquet`;
    return [
      ...before,
      ...duckDb(tableStatement(name, select)),
      ...(isShown ? duckDb(temporaryStatement(`SELECT * FROM ${name}`, file)) : []),
      ...shown(file),
    ];
  }
  const file = temporaryFile(temporary, name);
  return duckDb(temporaryStatement(rendered.sql, file), attachStatement(name, [file]));
}

/** The models that the queries of some steps have the cluster read. */
export function readByCluster(steps: readonly PlannedStep[]): Set<string> {
  const queries = steps.flatMap(({ rendered, audits }) => [
    rendered,
    ...audits.map((audit) => audit.rendered),
  ]);
  return new Set(
    queries.filter(({ dialect }) => dialect === "spark").flatMap(({ references }) => references),
  );
}
