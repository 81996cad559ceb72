import { PipelineError } from "../../base/errors.js";
import { printable } from "../../base/words.js";
import { readRuns } from "../../consumption/recorded-runs.js";
import type { Row, RowValue } from "../../engine/builder.js";
import { duckDbBuilder, type Engine } from "../../engine/duckdb/duckdb-engine.js";
import { withDuckDb } from "../../engine/duckdb/duckdb.js";
import { DUCKDB, type RawPart } from "../../models/dialect.js";
import type { SqlVersion } from "../../models/load.js";
import {
  isMeasure,
  isRaw,
  isWritten,
  type Model,
  type RawModel,
  type WrittenModel,
} from "../../models/model.js";
import { referencesOf } from "../../models/order.js";
import type { TestRow, TestValue } from "../../models/test-file.js";
import { trustedReportOf, type RunReport } from "../../record/run-record.js";
import { attachAtRest, filesAtRest } from "../../run/build.js";
import type { PlanContext, RawInput } from "../../run/context.js";
import { planRun } from "../../run/plan.js";
import { findRawFiles, inspectRaw, planInput } from "../../run/raw-input.js";
import type { Settings } from "../../settings/settings.js";
import { identifier } from "../../sql-text/literal.js";
import { parseExecutionDate } from "../../voucher/execution-date.js";
import { sha256Of, type Zone } from "../../zones/zone.js";
import { looking } from "../looking.js";
import { rowsOver } from "./run-tests.js";

export interface FromRunRequest {
  readonly runId: string;
  readonly model: string;
  /** How many rows of each input at most. */
  readonly rows: number;
}

/**
 * Writes a case from real rows. It gives some rows of the inputs of a model, as a run left or read them. It expects the rows that the
 * current SQL makes of just these.
 * @returns the text of the case, as YAML.
 * @throws PipelineError RUN_NOT_REPLAYABLE if the inputs of the run were changed or removed.
 */
export function testFromRun(
  settings: Settings,
  request: FromRunRequest,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<string> {
  return looking(settings, signal, async (opened) => {
    const version = await opened.sql();
    const model = version.models.find(({ name }) => name === request.model);
    if (model === undefined) {
      const names = version.models.map(({ name }) => name).join(", ");
      throw new PipelineError(
        "INVALID_USAGE",
        `unknown model ${printable(request.model)}; known models: ${names}`,
      );
    }
    const consumption = await opened.database();
    const report = consumption && (await reportOfRun(consumption, request.runId));
    if (report === undefined) {
      throw new PipelineError(
        "INVALID_USAGE",
        `run ${printable(request.runId)} does not exist. List the runs with npx pipeline runs`,
      );
    }
    const executionDate = parseExecutionDate(report.execution_date);
    const zones = await opened.zones();
    const context = {
      executionDate,
      settings: { ...settings, engine: { kind: "duckdb" } as const },
      version,
      zones,
    };
    const inputs = inputsOf(version, model);
    const raw = await rawFilesOf(context, inputs, report);
    const written = inputs.filter(isWritten);
    const session = {
      settings: settings.duckdb,
      s3: zones.s3,
      reach: {
        directories: [],
        files: [
          ...raw.flatMap(({ files }) => files.map(({ uri }) => uri)),
          ...(await filesAtRest(context, written)),
        ],
      },
      signal,
      warn,
    };
    const given = new Map<string, TestRow[]>();
    await withDuckDb(session, async (engine) => {
      const { byModel } = await inspectRaw(
        context,
        engine,
        raw,
        (use) => withDuckDb(session, use),
        undefined,
      );
      await engine.makeFunctions(planRun(version, planInput(context, byModel)).functions.sql);
      for (const one of raw)
        given.set(
          one.model.name,
          await someRows(engine, rawTexts(one.model, byModel.get(one.model.name) ?? []), request.rows),
        );
      for (const one of written) {
        const { head } = await attachAtRest({ builder: duckDbBuilder(engine), executionDate, zones }, one);
        await assertOfRun(zones[one.layer], one, head, report);
        given.set(one.name, await someRows(engine, one.name, request.rows));
      }
    });
    const expected = await rowsOver(version, model, { executionDate, given }, settings, signal);
    return textOfCase(model, report, given, expected);
  });
}

async function reportOfRun(
  consumption: Parameters<typeof readRuns>[0],
  runId: string,
): Promise<RunReport | undefined> {
  const [run] = await readRuns(consumption, { runId, limit: 1 });
  return run && (trustedReportOf(run) ?? undefined);
}

/** The inputs of a model that stay after a run. A measure stands for its own inputs. A raw model reads its own files. */
function inputsOf(version: SqlVersion, model: Model): (RawModel | WrittenModel)[] {
  if (isRaw(model)) return [model];
  const inputs = new Set<RawModel | WrittenModel>();
  for (const name of referencesOf(model)) {
    const read = version.models.find((one) => one.name === name);
    if (read === undefined) continue;
    if (isMeasure(read)) for (const input of inputsOf(version, read)) inputs.add(input);
    else inputs.add(read);
  }
  return [...inputs];
}

/** The files that the run read for raw models, as they are now. */
async function rawFilesOf(
  context: PlanContext,
  inputs: readonly Model[],
  { inputs: read, run_id }: RunReport,
): Promise<RawInput[]> {
  if (!inputs.some(isRaw)) return [];
  const found = (await findRawFiles(context)).filter(({ model }) => inputs.includes(model));
  const ofRun = found.map(({ files, ...input }) => ({
    ...input,
    files: files.filter((file) =>
      read.some(({ path, version }) => path === file.path && version === file.version),
    ),
  }));
  if (ofRun.every(({ files }) => files.length > 0)) return ofRun;
  throw new PipelineError("RUN_NOT_REPLAYABLE", `the raw files of run ${run_id} were changed or removed`);
}

async function assertOfRun(
  zone: Zone,
  { name }: WrittenModel,
  head: Parameters<typeof sha256Of>[1],
  { tables, at_rest, run_id }: RunReport,
): Promise<void> {
  const recorded = [...tables, ...at_rest].find(({ model }) => model === name);
  if (recorded?.sha256 === (await sha256Of(zone, head))) return;
  throw new PipelineError(
    "RUN_NOT_REPLAYABLE",
    `the partition of ${name} is not the one of run ${run_id}: another run has replaced it`,
  );
}

/** The rows of raw files as text, as `as_text` gives a value that it was not made for. */
function rawTexts({ header }: RawModel, parts: readonly RawPart[]): string {
  const selects = parts.map((part) => {
    const columns = Object.keys(header.reads).flatMap((name) => {
      const column = part.columns[name];
      return column === undefined ? [] : [`as_text(${DUCKDB.column(column)}) AS ${identifier(name)}`];
    });
    return `SELECT ${columns.join(", ")} FROM ${DUCKDB.rows(part)}`;
  });
  return `(${selects.join(" UNION ALL ")})`;
}

/** Some rows of a relation, the same ones each time, in their order. */
async function someRows(engine: Engine, relation: string, count: number): Promise<TestRow[]> {
  const rows = await engine.rows(
    `SELECT * FROM (SELECT * FROM ${relation} USING SAMPLE reservoir(${count.toString()} ROWS) REPEATABLE (1)) ORDER BY ALL`,
  );
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asText(value)])),
  );
}

function asText(value: RowValue): TestValue {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : scalarText(item)));
  return scalarText(value);
}

function scalarText(value: RowValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function textOfCase(
  { name }: Model,
  { execution_date, run_id, sql_version }: RunReport,
  given: ReadonlyMap<string, readonly TestRow[]>,
  expected: readonly Row[],
): string {
  return [
    `# For sql/${sql_version}/tests/${name}.yaml`,
    `- name: some rows of run ${run_id}`,
    `  execution_date: ${execution_date}`,
    "  given:",
    ...[...given].flatMap(([model, rows]) => listOf(`    ${model}:`, rows)),
    ...listOf(
      "  expect:",
      expected.map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, asText(value)])),
      ),
    ),
  ].join("\n");
}

function listOf(key: string, rows: readonly TestRow[]): string[] {
  const indent = " ".repeat(key.search(/\S/) + 2);
  return rows.length === 0
    ? [`${key} []`]
    : [key, ...rows.map((row) => `${indent}- ${rowText(row, indent)}`)];
}

/** In one line if that is short. */
function rowText(row: TestRow, indent: string): string {
  const cells = Object.entries(row).map(([column, value]) => `${column}: ${valueText(value)}`);
  const line = `{ ${cells.join(", ")} }`;
  return line.length + indent.length <= 116 ? line : cells.join(`\n${indent}  `);
}

function valueText(value: TestValue): string {
  if (value === null) return "null";
  if (typeof value !== "string") return `[${value.map(valueText).join(", ")}]`;
  const isPlain =
    /^[\p{L}\p{N}]([\p{L}\p{N} ._+:/-]*[\p{L}\p{N}_+-])?$/u.test(value) && !/: |^null$/i.test(value);
  // A text of JSON is one of YAML.
  return isPlain ? value : JSON.stringify(value);
}
