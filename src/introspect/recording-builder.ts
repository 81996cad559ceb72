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

/** A statement, and who is told it. */
export interface RecordedStatement {
  readonly engine: DialectName;
  readonly sql: string;
  /** The audits that it asks for. */
  readonly audits: readonly string[];
}

/** What a build says, by the step that says it: the name of a model, or of a file of functions. */
export type RecordedBuild = ReadonlyMap<string, readonly RecordedStatement[]>;

/** What a build is recorded with. */
export interface RecordContext extends Pick<RunContext, "executionDate" | "runId" | "settings" | "zones"> {
  /** The name and version of DuckDB. */
  readonly engine: string;
  /** Stands for the folder that a run makes on this machine. */
  readonly folder: string;
}

/**
 * Builds the models of a plan by the code of a run, with a builder that takes down what it is told. It answers from the headers: a model
 * has the columns that it declares, no row breaks a promise, and nothing is written.
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
  /** Models are built side by side: each call knows of itself which step it belongs to. */
  readonly #step = new AsyncLocalStorage<string>();
  readonly #columns: ReadonlyMap<string, readonly ColumnType[]>;
  /** By what audits ask first, which audits they are. */
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

  /** The builder of a run, over an engine and a cluster that only take down what they are told. */
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
    // Spark gives its files names of its own.
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

/** A zone that makes no room, and in which what was staged is nothing. */
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
