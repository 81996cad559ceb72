import { AsyncLocalStorage } from "node:async_hooks";
import { Readable } from "node:stream";
import type { Builder, ColumnType, Row } from "../engine/builder.js";
import { bySpeaking, duckDbBuilder, type Engine } from "../engine/duckdb/duckdb-engine.js";
import type { SparkSession } from "../engine/spark/spark-session.js";
import type { DialectName } from "../models/dialect.js";
import { declaredColumns } from "../models/model.js";
import { RunActivity } from "../run/activity.js";
import { countColumn, countStatements } from "../run/audits.js";
import { buildModels } from "../run/build.js";
import type { RunContext } from "../run/context.js";
import type { Plan, PlannedStep } from "../run/plan.js";
import { stagedFile, stagingOfRun, type Zone } from "../zones/zone.js";

/** A statement, and the engine for it. */
export interface RecordedStatement {
  readonly engine: DialectName;
  readonly sql: string;
  /** The audits that it checks. */
  readonly audits: readonly string[];
}

/** The statements of a build, by their step: the name of a model, or of a file of functions. */
export type RecordedBuild = ReadonlyMap<string, readonly RecordedStatement[]>;

/** The inputs for recording a build. */
export interface RecordContext extends Pick<RunContext, "executionDate" | "runId" | "settings" | "zones"> {
  /** The name and version of DuckDB. */
  readonly engine: string;
  /** A placeholder for the folder that a run creates on this machine. */
  readonly folder: string;
}

/**
 * Builds the models of a plan with the code of a run, but with a builder that only records statements. Its results
 * come from the headers: a model has its declared columns, no row breaks a promise, and nothing is written.
 */
export async function recordBuild(
  context: RecordContext,
  plan: Plan,
  steps: readonly PlannedStep[],
): Promise<RecordedBuild> {
  const recorder = new Recorder(steps);
  const { zones } = context;
  await buildModels(
    {
      ...context,
      zones: { ...zones, curated: writingNothing(zones.curated), provision: writingNothing(zones.provision) },
      builder: await recorder.builder(context, plan),
      activity: recorder.activity,
      journal: { noteAudits: () => undefined, noteMeasure: () => undefined },
      raw: { explainFault: () => Promise.resolve(), typed: () => undefined },
    },
    plan,
    steps,
  );
  return recorder.said;
}

class Recorder {
  readonly said = new Map<string, RecordedStatement[]>();
  readonly activity: RunActivity;
  /** Models are built in parallel: each call knows its own step. */
  readonly #step = new AsyncLocalStorage<string>();
  readonly #columns: ReadonlyMap<string, readonly ColumnType[]>;
  /** The audits, by their first statement. */
  readonly #audits: ReadonlyMap<string, readonly string[]>;

  constructor(steps: readonly PlannedStep[]) {
    const step = this.#step;
    this.activity = new (class extends RunActivity {
      override during<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
        return step.run(name.replace(/^audits of /, ""), work);
      }
    })();
    this.#columns = new Map(steps.map(({ model }) => [model.name, declaredColumns(model)]));
    this.#audits = new Map(
      steps.flatMap(({ audits }) =>
        countStatements(audits).map(
          ({ query, asked }) => [query.sql, asked.map(({ audit }) => audit)] as const,
        ),
      ),
    );
  }

  /** The builder of a run, over an engine and a cluster that only record statements. */
  async builder({ engine, folder, runId, settings, zones }: RecordContext, plan: Plan): Promise<Builder> {
    const duckDb = this.#duckDb(engine, folder);
    const builder =
      settings.engine.kind === "duckdb"
        ? duckDbBuilder(duckDb)
        : await this.#cluster(duckDb, `${zones.curated.root}/${stagingOfRun(runId)}`);
    return {
      ...builder,
      assertSelects: () => Promise.resolve(),
      makeFunctions: (functions) => {
        const { file } =
          functions.dialect === "spark" ? (plan.clusterFunctions ?? plan.functions) : plan.functions;
        this.#note(functions.dialect, functions.sql, file);
        return Promise.resolve();
      },
    };
  }

  #duckDb(version: string, folder: string): Engine {
    const say = (sql: string) => {
      this.#note("duckdb", sql);
      return Promise.resolve();
    };
    const speaker = { run: say, rows: (sql: string) => say(sql).then(() => this.#rowsOf(sql)) };
    return {
      ...bySpeaking(speaker, folder),
      ...speaker,
      version,
      folder,
      columnsOf: (name) => Promise.resolve([...(this.#columns.get(name) ?? [])]),
      assertSelects: () => Promise.resolve(),
      makeFunctions: say,
      parts: () => Readable.from([]),
      adHoc: () => Promise.reject(new RangeError("nobody writes statements to a plan")),
      progress: () => undefined,
    };
  }

  async #cluster(duckDb: Engine, folder: string): Promise<Builder> {
    const { sparkBuilder } = await import("../engine/spark/spark-builder.js");
    const say = (sql: string) => {
      this.#note("spark", sql);
      return Promise.resolve();
    };
    const session: SparkSession = {
      version: "Spark",
      run: say,
      rows: (sql) => say(sql).then(() => this.#rowsOf(sql)),
      close: () => Promise.resolve(),
    };
    // Spark chooses the names of its files.
    const list = (written: string) => Promise.resolve([{ uri: `${written}/*.parquet`, bytes: 0 }]);
    return sparkBuilder(duckDb, session, { folder, list });
  }

  /** No row breaks a promise, and there are no other rows. */
  #rowsOf(sql: string): Row[] {
    const audits = this.#audits.get(sql);
    return audits === undefined
      ? []
      : [Object.fromEntries(audits.map((_, place) => [countColumn(place), 0]))];
  }

  #note(engine: DialectName, sql: string, step = this.#step.getStore()): void {
    if (step === undefined) throw new RangeError(`nobody knows who says: ${sql}`);
    const statement = { engine, sql, audits: this.#audits.get(sql) ?? [] };
    this.said.set(step, [...(this.said.get(step) ?? []), statement]);
  }
}

/** A zone that creates no folders, and has no staged files. */
function writingNothing(zone: Zone): Zone {
  return {
    ...zone,
    stage: (runId, partition) => {
      const path = stagedFile(runId, partition);
      return Promise.resolve({ path, uri: `${zone.root}/${path}` });
    },
    staged: () => Promise.resolve([]),
    read: () => Readable.from([]),
  };
}
