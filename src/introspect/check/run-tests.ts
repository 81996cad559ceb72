import { PipelineError } from "../../base/errors.js";
import { EngineError, type ColumnType, type Row, type RowValue } from "../../engine/builder.js";
import type { Engine } from "../../engine/duckdb/duckdb-engine.js";
import { withDuckDb } from "../../engine/duckdb/duckdb.js";
import { loadSqlVersion, type SqlVersion } from "../../models/load.js";
import { declaredColumns, isRaw, type Model, type RawModel } from "../../models/model.js";
import { readTestFiles, type TestCase, type TestFile, type TestRow } from "../../models/test-file.js";
import { planRun, type Plan, type PlannedStep } from "../../run/plan.js";
import type { Settings } from "../../settings/settings.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { checkSql } from "./check-sql.js";
import { differencesOf } from "./differences.js";
import { withEmptyFolder } from "./empty-session.js";
import { makeRawFolder, rawPart, rawRows } from "./given-raw.js";
import { assertNoFaults } from "./sql-faults.js";
import { cell, textRows } from "./text-rows.js";

/** How a case has ended. */
export interface CaseResult {
  readonly model: string;
  /** As messages name it: `sql/v1/tests/curated.vouchers.yaml`. */
  readonly file: string;
  readonly name: string;
  readonly line: number;
  readonly passed: boolean;
  readonly failures: readonly CaseFailure[];
}

/** One way in which a model does not do what a case expects. */
export interface CaseFailure {
  /** The line of the expectation. */
  readonly line: number;
  /** The number of the row, from 1. Null if the failure is not about one row. */
  readonly row: number | null;
  readonly column: string | null;
  readonly expected: RowValue;
  readonly got: RowValue;
  readonly message: string;
}

/** A test has the same result for all settings. */
const MAX_REJECTED_SHARE = "0.5";

/**
 * Runs the tests of models in an empty DuckDB.
 * @param model only its tests; undefined for all.
 * @throws PipelineError INVALID_MODEL if the SQL or a test is at fault, INVALID_USAGE if the model has no tests.
 */
export async function runTests(
  settings: Settings,
  model: string | undefined,
  signal: AbortSignal,
): Promise<CaseResult[]> {
  const { sqlDirectory, sqlVersion } = settings;
  assertNoFaults((await checkSql(settings, signal, { withTests: true })).faults);
  const version = await loadSqlVersion(sqlDirectory, sqlVersion);
  const { files } = await readTestFiles(sqlDirectory, version);
  const chosen = files.filter((file) => model === undefined || file.model.name === model);
  if (chosen.length === 0) throw noTests(model, files);
  return runFiles(version, chosen, settings, signal);
}

function noTests(model: string | undefined, files: readonly TestFile[]): PipelineError {
  const known = files.map((file) => file.model.name).join(", ");
  return new PipelineError(
    "INVALID_USAGE",
    model === undefined
      ? "there are no tests; docs/models.md shows how to write one"
      : `${model} has no tests; these models have tests: ${known === "" ? "none" : known}`,
  );
}

/** The given rows, and the date. */
type Given = Pick<TestCase, "executionDate" | "given">;

/** The rows that a model makes of given rows, in its order. */
export function rowsOver(
  version: SqlVersion,
  model: Model,
  { executionDate, given }: Given,
  settings: Settings,
  signal: AbortSignal,
): Promise<Row[]> {
  return inEmptyDuckDb(version, settings, signal, async ({ planOf, withFunctions }) => {
    const plan = planOf(executionDate);
    return withFunctions(plan.functions.sql, async (engine, folder) => {
      const one = { executionDate, given, lineOf: () => 1 };
      for (const step of neededFor(plan, one, [model.name]))
        await makeModel({ engine, folder, plan }, step, one);
      return engine.rows(`SELECT * FROM ${model.name}`);
    });
  });
}

/** The environment of cases. */
interface Sessions {
  /** Renders the version once for each execution date. */
  readonly planOf: (date: ExecutionDate) => Plan;
  /** Opens a DuckDB that has functions and nothing else. Its folder stands for the raw zone. */
  readonly withFunctions: <Result>(
    functions: string,
    use: (engine: Engine, folder: string) => Promise<Result>,
  ) => Promise<Result>;
}

function inEmptyDuckDb<Result>(
  version: SqlVersion,
  settings: Settings,
  signal: AbortSignal,
  use: (sessions: Sessions) => Promise<Result>,
): Promise<Result> {
  return withEmptyFolder(settings, signal, (session, folder) =>
    use({
      planOf: planner(version, folder),
      withFunctions: (functions, work) =>
        withDuckDb(session, async (engine) => {
          await engine.makeFunctions(functions);
          return work(engine, folder);
        }),
    }),
  );
}

function runFiles(
  version: SqlVersion,
  files: readonly TestFile[],
  settings: Settings,
  signal: AbortSignal,
): Promise<CaseResult[]> {
  const all = files.flatMap((file) => file.cases.map((one) => ({ file, one })));
  const results = new Map<TestCase, CaseResult>();
  return inEmptyDuckDb(version, settings, signal, async ({ planOf, withFunctions }) => {
    // One DuckDB does for all cases that have the same functions. Each case makes every table that it reads.
    for (const functions of new Set(all.map(({ one }) => planOf(one.executionDate).functions.sql)))
      await withFunctions(functions, async (engine, folder) => {
        for (const { file, one } of all) {
          const plan = planOf(one.executionDate);
          if (plan.functions.sql !== functions) continue;
          results.set(one, await runCase({ engine, folder, plan }, file, one));
        }
      });
    return all.flatMap(({ one }) => results.get(one) ?? []);
  });
}

/** Renders a version once for each execution date. The raw files have the same names in all cases. */
function planner(version: SqlVersion, folder: string): (date: ExecutionDate) => Plan {
  const rawParts = new Map(
    version.models
      .filter(isRaw)
      .map((model) => [model.name, [rawPart(model, folder, givenFile(model, folder))]]),
  );
  const plans = new Map<string, Plan>();
  return (executionDate) => {
    const known = plans.get(executionDate.iso);
    if (known !== undefined) return known;
    const plan = planRun(version, {
      executionDate,
      maxRejectedShare: MAX_REJECTED_SHARE,
      rawRoot: folder,
      rawParts,
    });
    plans.set(executionDate.iso, plan);
    return plan;
  };
}

function givenFile({ header }: RawModel, folder: string): string {
  return `${folder}/${header.folder}/given.parquet`;
}

interface CaseContext {
  readonly engine: Engine;
  readonly folder: string;
  readonly plan: Plan;
}

async function runCase(context: CaseContext, { model, file }: TestFile, one: TestCase): Promise<CaseResult> {
  const failures = await failuresOf(context, model, one).catch((error: unknown) => {
    if (!(error instanceof EngineError)) throw error;
    return [failure(one.lineOf([]), error.onOneLine)];
  });
  return {
    model: model.name,
    file,
    name: one.name,
    line: one.lineOf([]),
    passed: failures.length === 0,
    failures,
  };
}

async function failuresOf(context: CaseContext, model: Model, one: TestCase): Promise<CaseFailure[]> {
  const { engine, plan } = context;
  const step = plan.steps.find((planned) => planned.model.name === model.name);
  if (step === undefined) throw new RangeError(`no step ${model.name}`);
  const asked = step.audits.filter(({ audit }) => [...one.raises, ...one.passes].includes(audit));
  const failures: CaseFailure[] = [];
  const needed = neededFor(plan, one, [model.name, ...asked.flatMap(({ rendered }) => rendered.references)]);
  for (const planned of needed) {
    failures.push(...(await makeModel(context, planned, one)));
    // The models after it would fail because this one is missing.
    if (failures.length > 0) return failures;
  }
  if (one.expect !== undefined) failures.push(...(await rowFailures(engine, model, one, one.expect)));
  for (const [key, wanted] of [
    ["raises", true],
    ["passes", false],
  ] as const)
    for (const audit of one[key]) {
      const queries = asked.filter((step) => step.audit === audit);
      const rows: Row[] = [];
      for (const { rendered } of queries) rows.push(...(await engine.rows(rendered.sql)));
      if (rows.length > 0 === wanted) continue;
      failures.push(
        failure(
          one.lineOf([key]),
          wanted ? `the audit ${audit} finds no rows` : `the audit ${audit} finds ${JSON.stringify(rows[0])}`,
        ),
      );
    }
  return failures;
}

/** The models that a case makes, each after those that it reads. A model that is given is not computed. */
function neededFor({ steps }: Plan, { given }: Given, names: readonly string[]): PlannedStep[] {
  const needed = new Set<string>();
  const visit = (name: string) => {
    if (needed.has(name)) return;
    needed.add(name);
    const step = steps.find(({ model }) => model.name === name);
    if (!given.has(name)) step?.rendered.references.forEach(visit);
  };
  names.forEach(visit);
  return steps.filter(({ model }) => needed.has(model.name));
}

async function makeModel(
  { engine, folder }: CaseContext,
  { model, rendered }: PlannedStep,
  one: Given & Pick<TestCase, "lineOf">,
): Promise<CaseFailure[]> {
  const given = one.given.get(model.name);
  if (isRaw(model)) {
    await makeRawFolder(model, folder);
    await engine.writeParquet(rawRows(model, given ?? []), givenFile(model, folder));
    await engine.createTable(model.name, rendered.sql);
    return [];
  }
  if (given === undefined) {
    await engine.createTable(model.name, rendered.sql);
    return [];
  }
  const columns = declaredColumns(model);
  return unlessUnreadable(
    engine,
    columns,
    given,
    (row, column) => one.lineOf(["given", model.name, row, column]),
    () => engine.createTable(model.name, textRows(columns, given)).then(() => []),
  );
}

async function rowFailures(
  engine: Engine,
  model: Model,
  one: TestCase,
  expected: readonly TestRow[],
): Promise<CaseFailure[]> {
  const columns = declaredColumns(model);
  const lineOf = (row: number, column: string) => one.lineOf(["expect", row, column]);
  return unlessUnreadable(engine, columns, expected, lineOf, async () => {
    const read = await engine.rows(textRows(columns, expected));
    const rows = read.map((row, index) => only(row, Object.keys(expected[index] ?? {})));
    const got = await engine.rows(`SELECT * FROM ${model.name}`);
    return differencesOf({ rows, ordered: one.ordered }, got).map((difference): CaseFailure => {
      const { row, column, expected, got } = difference;
      const number = row === null ? null : row + 1;
      const line =
        row === null
          ? one.lineOf(["expect"])
          : one.lineOf(["expect", row, ...(column === null ? [] : [column])]);
      const place =
        number === null ? "" : `row ${number.toString()}${column === null ? "" : `, column ${column}`}: `;
      const message =
        row === null
          ? `a row more than expected: ${JSON.stringify(got)}`
          : column === null
            ? `${place}no row is like ${JSON.stringify(expected)}`
            : `${place}expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
      return { line, row: number, column, expected, got, message };
    });
  });
}

function only(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}

const WHOLE_TYPES: readonly string[] = ["INTEGER", "BIGINT"];

/** Does something with the rows of a test. If a value cannot have the type of its column, the failures name it. */
async function unlessUnreadable(
  engine: Engine,
  columns: readonly ColumnType[],
  rows: readonly TestRow[],
  lineOf: (row: number, column: string) => number,
  use: () => Promise<CaseFailure[]>,
): Promise<CaseFailure[]> {
  const unreadable = (row: number, { name, type }: ColumnType, value: unknown): CaseFailure => {
    const message = `row ${(row + 1).toString()}, column ${name}: ${JSON.stringify(value)} is not a ${type}`;
    return { ...failure(lineOf(row, name), message), row: row + 1, column: name };
  };
  // DuckDB would round them.
  const fractions = rows.flatMap((row, index) =>
    columns.flatMap((column) => {
      const value = row[column.name] ?? null;
      return value !== null && WHOLE_TYPES.includes(column.type) && !/^[+-]?\d+$/.test(String(value))
        ? [unreadable(index, column, value)]
        : [];
    }),
  );
  if (fractions.length > 0) return fractions;
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const failures: CaseFailure[] = [];
    for (const [index, row] of rows.entries())
      for (const column of columns) {
        const value = row[column.name] ?? null;
        if (value === null) continue;
        const [read] = await engine.rows(
          `SELECT TRY_CAST(${cell(value)} AS ${column.type}) IS NOT NULL AS is_read`,
        );
        if (read?.["is_read"] !== true) failures.push(unreadable(index, column, value));
      }
    if (failures.length === 0) throw error;
    return failures;
  }
}

function failure(line: number, message: string): CaseFailure {
  return { line, row: null, column: null, expected: null, got: null, message };
}
