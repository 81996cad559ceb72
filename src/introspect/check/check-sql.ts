import { PipelineError } from "../../base/errors.js";
import type { Engine } from "../../engine/duckdb/duckdb-engine.js";
import { withDuckDb } from "../../engine/duckdb/duckdb.js";
import { SPARK, type RawPart } from "../../models/dialect.js";
import { loadPartOfVersion, type PartOfVersion, type SqlVersion } from "../../models/load.js";
import { isRaw, type RawModel } from "../../models/model.js";
import { readTestFiles, type FoundTests } from "../../models/test-file.js";
import { STAGES } from "../../record/stages.js";
import { planPart, renderInspection, stepsOfStages, type Plan, type PlanInput } from "../../run/plan.js";
import type { Settings } from "../../settings/settings.js";
import { parseExecutionDate } from "../../voucher/execution-date.js";
import { bindVersion } from "./binding.js";
import { withEmptyFolder } from "./empty-session.js";
import { makeRawFolder, rawPart, rawRows } from "./given-raw.js";
import { placeInOwnAudit } from "./source-places.js";
import { faultsIn, faultText, type SqlFault } from "./sql-faults.js";

/** The same faults are found for every date. */
const ANY_DATE = parseExecutionDate("2020-01-01");

const NO_TESTS: FoundTests = { files: [], faults: [] };

/** The result of a check. */
export interface CheckedSql {
  /** How many files it has, with its tests. */
  readonly files: number;
  /** By file and line. */
  readonly faults: readonly SqlFault[];
}

/**
 * Finds the faults of a SQL version: of headers, templates and references, and of every statement that DuckDB cannot bind. It needs no
 * zone, database or raw file.
 * @param options whether the tests of the models are read too.
 */
export async function checkSql(
  settings: Settings,
  signal: AbortSignal,
  { withTests = false }: { readonly withTests?: boolean } = {},
): Promise<CheckedSql> {
  const part = await loadPart(settings);
  const faults = part.faults.flatMap((fault) => faultsIn("header", fault));
  const { readable, unreadable } = part;
  if (readable === undefined) return { files: 0, faults: inOrder(faults) };
  // The tests of a faulty model would have further faults.
  const readsTests = withTests && faults.length === 0;
  const tests = readsTests ? await readTestFiles(settings.sqlDirectory, readable) : NO_TESTS;
  faults.push(...tests.faults.flatMap((fault) => faultsIn("test", fault)));
  const found = await withEmptyFolder(settings, signal, (session, folder) =>
    withDuckDb(session, async (engine) => {
      const rawParts = await emptyRawParts(engine, readable.models.filter(isRaw), folder);
      const { maxRejectedShare } = settings;
      const input = { executionDate: ANY_DATE, maxRejectedShare, rawRoot: folder, rawParts, unreadable };
      const planned = planFaults(readable, input);
      return [
        ...planned.faults,
        ...(await bindVersion(engine, { version: readable, input, plan: planned.plan })),
      ];
    }),
  );
  return { files: readable.texts.size + tests.files.length, faults: inOrder([...faults, ...found]) };
}

async function loadPart({ sqlDirectory, sqlVersion }: Settings): Promise<PartOfVersion> {
  try {
    return await loadPartOfVersion(sqlDirectory, sqlVersion);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== "INVALID_MODEL") throw error;
    return { readable: undefined, unreadable: new Set(), faults: [error.message] };
  }
}

/** Empty raw files of every format, as text and typed: all that the template of a raw model can read. */
async function emptyRawParts(
  engine: Engine,
  models: readonly RawModel[],
  folder: string,
): Promise<Map<string, readonly RawPart[]>> {
  const parts = new Map<string, readonly RawPart[]>();
  for (const model of models) {
    const files = await makeRawFolder(model, folder);
    const none = `SELECT * FROM (${rawRows(model, [])})`;
    const typed = Object.entries(model.header.reads).map(
      ([name, read]) => `CAST(NULL AS ${TYPED[read]}) AS "${name}"`,
    );
    const part = rawPart(model, folder, `${files}/typed.parquet`);
    const types = Object.entries(part.columns).map(
      ([name, column]) => [name, { ...column, type: TYPED[model.header.reads[name] ?? "text"] }] as const,
    );
    await engine.writeParquet(none, `${files}/text.parquet`);
    await engine.writeParquet(`SELECT ${typed.join(", ")} WHERE false`, `${files}/typed.parquet`);
    await engine.writeCsv(none, `${files}/text.csv`);
    parts.set(model.name, [
      rawPart(model, folder, `${files}/text.parquet`),
      { ...part, columns: Object.fromEntries(types) },
      { ...rawPart(model, folder, `${files}/text.csv`), format: "csv", rowCount: 0 },
    ]);
  }
  return parts;
}

/** A type of raw columns, by the reading of the column. */
const TYPED = { moment: "TIMESTAMP", number: "BIGINT", text: "VARCHAR" } as const;

/** The faults of templates for both engines, and of references. */
function planFaults(version: SqlVersion, input: PlanInput): { plan: Plan; faults: SqlFault[] } {
  const faults: SqlFault[] = [];
  const tell = ({ message }: PipelineError) => {
    for (const fault of faultsIn("template", message))
      faults.push(fault.line === null ? { ...fault, code: "reference" } : inHeader(version, fault));
  };
  const plan = planPart(version, input, tell);
  if (version.functions.has("spark"))
    planPart(version, { ...input, cluster: { dialect: SPARK, refuses: () => "it is only rendered" } }, tell);
  tellFault(() => stepsOfStages(plan, STAGES), tell);
  for (const inspection of version.inspections.values())
    tellFault(() => renderInspection(version, inspection, input), tell);
  return { plan, faults };
}

function tellFault(work: () => unknown, tell: (fault: PipelineError) => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== "INVALID_MODEL") throw error;
    tell(error);
  }
}

/** The fault at its place in the file, if it is in the query of an audit of a header. */
function inHeader({ models }: SqlVersion, fault: SqlFault): SqlFault {
  const [file = "", name] = fault.file?.split(": ") ?? [];
  const model = models.find((one) => one.file === file);
  const index = model?.header.audits.findIndex(({ audit }) => audit === name) ?? -1;
  const select = model?.header.audits[index]?.own?.select;
  if (model === undefined || name === undefined || select === undefined) return fault;
  const before = select.split("\n", (fault.line ?? 1) - 1).join("\n").length;
  const { line } = placeInOwnAudit(model.template, { index, name, select }, before);
  return { ...fault, file, line };
}

/** By file and line, each once. */
function inOrder(faults: readonly SqlFault[]): SqlFault[] {
  const once = new Map(faults.map((fault) => [faultText(fault), fault]));
  const order = ({ file, line }: SqlFault) => `${file ?? ""}:${(line ?? 0).toString().padStart(6, "0")}`;
  return [...once.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
