import {
  attachStatement,
  copyStatement,
  filesStatement,
  tableStatement,
  temporaryFile,
  temporaryStatement,
} from "../engine/duckdb/duckdb-statements.js";
import {
  fetchedFolder,
  keptFile,
  keptFolder,
  orderedStatement,
  shownFile,
  sparkViewStatement,
  spreadStatement,
} from "../engine/spark/spark-statements.js";
import type { DialectName } from "../models/dialect.js";
import { isLarge, isWritten } from "../models/model.js";
import type { PlannedStep } from "../run/plan.js";

/** A statement, and who is told it. */
export interface PlannedStatement {
  readonly engine: DialectName;
  readonly sql: string;
}

/** Where a run would put what it makes. */
export interface PlannedPlaces {
  /** The file that a model is staged as, or the folder of many; undefined where it is not written. */
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
  step: PlannedStep,
  places: PlannedPlaces,
  isShown: boolean,
): PlannedStatement[] {
  const { model, rendered } = step;
  const { staged, temporary, staging } = places;
  const { name, layer } = model;
  const isOnCluster = rendered.dialect === "spark";
  const shown = (uris: readonly string[]) => (isShown ? [spark(sparkViewStatement(name, uris))] : []);
  if (layer === "raw" && (isOnCluster || isShown)) {
    const parts = partsOf(step, staging);
    return [
      ...parts.map(({ made }) => made),
      duckDb(
        attachStatement(
          name,
          parts.map(({ files }) => files),
        ),
      ),
      ...shown(parts.map(({ place }) => place)),
    ];
  }
  if (layer === "raw") {
    const file = temporaryFile(temporary, name);
    return [duckDb(temporaryStatement(rendered.sql, file)), duckDb(attachStatement(name, [file]))];
  }
  if (staged !== undefined && writesMany(step)) {
    return [
      spark(spreadStatement(rendered.sql, staged)),
      duckDb(attachStatement(name, [filesIn(staged)])),
      ...shown([staged]),
    ];
  }
  const fetched = fetchedFolder(staging, name);
  const before = isOnCluster ? [spark(orderedStatement(rendered.sql, fetched))] : [];
  const select = isOnCluster ? filesStatement([filesIn(fetched)]) : rendered.sql;
  if (staged !== undefined) {
    const written = [duckDb(copyStatement(select, staged)), duckDb(attachStatement(name, [staged]))];
    return [...before, ...written, ...shown([staged])];
  }
  const file = shownFile(staging, name);
  return [
    ...before,
    duckDb(tableStatement(name, select)),
    ...(isShown ? [duckDb(temporaryStatement(`SELECT * FROM ${name}`, file))] : []),
    ...shown([file]),
  ];
}

/** Whether a model is written by a cluster, as many files. */
export function writesMany({ model, rendered }: PlannedStep): boolean {
  return isWritten(model) && isLarge(model) && rendered.dialect === "spark";
}

/** What makes each part of a raw model that a cluster keeps, where it is then, and the files that it is. */
function partsOf({ model: { name }, rendered, beside }: PlannedStep, staging: string) {
  return [rendered, ...(beside === undefined ? [] : [beside])].map(({ sql, dialect }, part) => {
    const file = keptFile(staging, name, part);
    if (dialect === "duckdb")
      return { made: duckDb(temporaryStatement(sql, file)), place: file, files: file };
    const place = keptFolder(staging, name, part);
    return { made: spark(spreadStatement(sql, place)), place, files: filesIn(place) };
  });
}

/** Spark gives its files names of its own. */
function filesIn(folder: string): string {
  return `${folder}/*.parquet`;
}

function duckDb(sql: string): PlannedStatement {
  return { engine: "duckdb", sql };
}

function spark(sql: string): PlannedStatement {
  return { engine: "spark", sql };
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
