import { PipelineError } from "../../base/errors.js";
import { counting } from "../../base/words.js";
import { EngineError, textOf, type ColumnType } from "../../engine/builder.js";
import type { Engine } from "../../engine/duckdb/duckdb-engine.js";
import { placeInHeader } from "../../models/header.js";
import type { SqlVersion } from "../../models/load.js";
import { declaredColumns, type Model } from "../../models/model.js";
import { placeAt, type Place } from "../../models/yaml-text.js";
import { planPart, renderInspection, type AuditStep, type Plan, type PlanInput } from "../../run/plan.js";
import { offsetInTemplate, placeInOwnAudit, withMarks } from "./source-places.js";
import type { SqlFault } from "./sql-faults.js";

/** A rendered version, with its source. */
export interface Bound {
  readonly version: SqlVersion;
  readonly input: PlanInput;
  /** The version, rendered for DuckDB alone. */
  readonly plan: Plan;
}

/**
 * Binds every model, audit and inspection with DuckDB, over empty tables that have the columns of the headers. Nothing is computed.
 * @param engine has no tables yet. It can reach the files of the raw models.
 * @returns every fault, but only the first one of each statement, because DuckDB names no other.
 */
export async function bindVersion(engine: Engine, bound: Bound): Promise<SqlFault[]> {
  const { version, plan } = bound;
  // Their template has a fault, which is known.
  if (plan.functions.sql === "") return [];
  const functions = functionsOf(bound);
  const unusable = await faultOf(functions, () => engine.makeFunctions(plan.functions.sql));
  // Without the functions, each statement that calls one has the same fault.
  if (unusable !== undefined) return [unusable];
  for (const model of version.models) await engine.run(emptyTable(model));
  const known = new Set(version.models.map(({ name }) => name));
  const faults: SqlFault[] = [];
  const ofAudits = new Map<string, FaultOfAudit>();
  for (const statement of statementsOf(bound)) {
    if (!statement.references.every((name) => known.has(name))) continue;
    let columns: ColumnType[] | undefined;
    const fault = await faultOf(statement, async () => {
      await engine.assertSelects(statement.sql);
      columns = await columnsOf(engine, statement.sql);
    });
    if (fault !== undefined && statement.auditOf === undefined) faults.push(fault);
    if (fault !== undefined && statement.auditOf !== undefined) {
      const text = JSON.stringify(fault);
      const models = ofAudits.get(text)?.models ?? [];
      ofAudits.set(text, { fault, models: [...models, statement.auditOf] });
    }
    if (columns !== undefined && statement.declaredBy !== undefined)
      faults.push(...columnFaults(statement.declaredBy, columns));
  }
  return [...faults, ...[...ofAudits.values()].map(withModels)];
}

/** A fault of an audit that several models can use, and the files of those where DuckDB finds it. */
interface FaultOfAudit {
  readonly fault: SqlFault;
  readonly models: readonly string[];
}

/** The model is named, because its header can be at fault: the audit fills in its key or its parameters. */
function withModels({ fault, models: [first = "", ...others] }: FaultOfAudit): SqlFault {
  const more = others.length === 0 ? "" : ` and of ${counting(others.length, "other model")}`;
  return { ...fault, message: `${fault.message}; it is an audit of ${first}${more}` };
}

/** A rendered text, and how a place in it is found in its file. */
interface Statement {
  readonly file: string;
  readonly sql: string;
  readonly references: readonly string[];
  /** The same text, rendered from a template with marks; undefined if it cannot be rendered. */
  readonly marked: () => string | undefined;
  /** The place in the file of an offset in the template. */
  readonly placeOf: (offset: number) => Place;
  /** The model whose header declares the columns. */
  readonly declaredBy?: Model;
  /** The file of the audited model; undefined if the statement is in that file. */
  readonly auditOf?: string | undefined;
}

function functionsOf({ version, plan, input }: Bound): Statement {
  const { file, sql } = plan.functions;
  const template = version.functions.get("duckdb")?.template ?? "";
  return {
    file,
    sql,
    references: [],
    marked: () => markedPlan(version, input).functions.sql,
    placeOf: (offset) => placeAt(template, 0, offset),
  };
}

function statementsOf({ version, plan, input }: Bound): Statement[] {
  let marked: Plan | undefined;
  const markedSteps = () => (marked ??= markedPlan(version, input)).steps;
  const models = plan.steps.flatMap(({ model, rendered, audits }, place): Statement[] => [
    {
      file: model.file,
      sql: rendered.sql,
      references: rendered.references,
      marked: () => markedSteps()[place]?.rendered.sql,
      placeOf: (offset) => placeAt(model.template, 0, offset),
      declaredBy: model,
    },
    ...audits.map((audit, index) => ({
      ...auditPlaces(version, model, audit),
      sql: audit.rendered.sql,
      references: audit.rendered.references,
      marked: () => markedSteps()[place]?.audits[index]?.rendered.sql,
    })),
  ]);
  const inspections = [...version.inspections].flatMap(([name, inspection]): Statement[] => {
    const { file, template } = inspection;
    const sql = renderOrNone(version, inspection, input);
    if (sql === undefined) return [];
    return [
      {
        file,
        sql,
        references: [name],
        marked: () => renderOrNone(version, { ...inspection, template: withMarks(template) }, input),
        placeOf: (offset) => placeAt(template, 0, offset),
      },
    ];
  });
  return [...models, ...inspections];
}

/** The SQL of an inspection; undefined if its template has a fault. */
function renderOrNone(...inspection: Parameters<typeof renderInspection>): string | undefined {
  try {
    return renderInspection(...inspection);
  } catch (error) {
    if (error instanceof PipelineError && error.code === "INVALID_MODEL") return undefined;
    throw error;
  }
}

/** The file of an audit's query: its own file, or the file of its model. */
function auditPlaces(
  version: SqlVersion,
  { file, template, header }: Model,
  { audit: name, file: auditFile }: AuditStep,
): Pick<Statement, "file" | "placeOf" | "auditOf"> {
  const index = header.audits.findIndex(({ audit, own }) => audit === name && own !== undefined);
  const select = header.audits[index]?.own?.select;
  if (select !== undefined)
    return { file, placeOf: (offset) => placeInOwnAudit(template, { index, name, select }, offset) };
  const text = version.audits.get(name)?.template ?? "";
  return { file: auditFile, placeOf: (offset) => placeAt(text, 0, offset), auditOf: file };
}

/** The same plan, rendered from templates with marks. */
function markedPlan(version: SqlVersion, input: PlanInput): Plan {
  const mark = <Marked extends { readonly template: string }>(file: Marked): Marked => ({
    ...file,
    template: withMarks(file.template),
  });
  const markOwnAudits = <Marked extends Model>(model: Marked): Marked => ({
    ...model,
    header: {
      ...model.header,
      audits: model.header.audits.map((use) => ({
        ...use,
        own: use.own && { ...use.own, select: withMarks(use.own.select) },
      })),
    },
  });
  const marked = {
    ...version,
    models: version.models.map((model) => markOwnAudits(mark(model))),
    audits: new Map([...version.audits].map(([name, audit]) => [name, mark(audit)])),
    functions: new Map([...version.functions].map(([engine, file]) => [engine, mark(file)])),
  };
  return planPart(marked, input, () => undefined);
}

function emptyTable(model: Model): string {
  const columns = declaredColumns(model).map(({ name, type }) => `"${name}" ${type}`);
  return `CREATE TABLE ${model.name} (${columns.join(", ")})`;
}

const DESCRIBE = "DESCRIBE (";

async function columnsOf(engine: Engine, sql: string): Promise<ColumnType[]> {
  return (await engine.rows(`${DESCRIBE}${sql}\n)`)).map((row) => ({
    name: textOf(row, "column_name"),
    type: textOf(row, "column_type"),
  }));
}

/** The fault that DuckDB finds while it does something with a statement; undefined if it finds none. */
async function faultOf(
  { file, sql, marked, placeOf }: Statement,
  work: () => Promise<void>,
): Promise<SqlFault | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const at = offsetOfError(error.message, sql);
    const text = at === undefined ? undefined : marked();
    const place =
      at === undefined || text === undefined ? undefined : placeOf(offsetInTemplate(sql, at, text));
    return {
      file,
      line: place?.line ?? null,
      column: place?.column ?? null,
      code: "sql",
      message: withoutPlace(error.message),
    };
  }
}

/** DuckDB's message, without the excerpt of the statement and without lists of all functions. */
function withoutPlace(message: string): string {
  const [said = ""] = message.split(/\n\s*(?:LINE \d+:|Candidate functions:)/);
  return said.trim().replaceAll(/\s*\n\s*/g, " ");
}

/** The offset in a rendered text of the place that an error of DuckDB shows; undefined if it shows none, or one of a shared function. */
function offsetOfError(message: string, sql: string): number | undefined {
  const [, number, excerpt, indent] = /^(LINE \d+: )(.*)\n( *)\^/m.exec(message) ?? [];
  if (number === undefined || excerpt === undefined || indent === undefined) return undefined;
  const line = Number(/\d+/.exec(number)?.[0]);
  const begin = sql.split("\n", line - 1).reduce((length, one) => length + one.length + 1, 0);
  const text = sql.slice(begin).split("\n", 1)[0] ?? "";
  // DuckDB shortens a long line at both ends.
  const [, cut = "", shown = ""] = /^(\.\.\.)?(.*?)(?:\.\.\.)?$/.exec(excerpt) ?? [];
  const caret = indent.length - number.length - cut.length;
  for (const before of line === 1 ? [DESCRIBE, ""] : [""]) {
    const start = (before + text).indexOf(shown);
    if (start < 0 || (cut === "" && start > 0)) continue;
    const at = begin + start + caret - before.length;
    return isNamedThere(message, sql.slice(at)) ? at : undefined;
  }
  return undefined;
}

/** Whether the name that an error quotes is at a place. It is not if the error is about the body of a function that is called there. */
function isNamedThere(message: string, text: string): boolean {
  const [first = ""] = message.split("\n");
  const [, name] =
    /"([^"]+)"|with name (\S+)|types '([^'(]+)\(|Macro (\w+)\(/.exec(first)?.filter(Boolean) ?? [];
  if (name === undefined) return true;
  const there = /^["\w.]+/.exec(text)?.[0] ?? "";
  return (
    text.toLowerCase().startsWith(name.toLowerCase()) || there.toLowerCase().includes(name.toLowerCase())
  );
}

/** How the columns of a SELECT differ from those that its header declares. */
function columnFaults(model: Model, found: readonly ColumnType[]): SqlFault[] {
  const declared = declaredColumns(model);
  const at = (column: string | undefined, message: string): SqlFault => ({
    file: model.file,
    ...placeInHeader(model.template, column === undefined ? ["columns"] : ["columns", column]),
    code: "columns",
    message,
  });
  const faults = [
    ...declared.flatMap(({ name, type }) => {
      const given = found.find((column) => column.name === name);
      if (given === undefined)
        return [at(name, `the header declares the column ${name}, but the SELECT does not give it`)];
      if (given.type === type) return [];
      return [at(name, `the header declares ${name} as ${type}, but the SELECT gives ${given.type}`)];
    }),
    ...found
      .filter(({ name }) => !declared.some((column) => column.name === name))
      .map(({ name, type }) =>
        at(undefined, `the SELECT gives the column ${name} (${type}), but the header does not declare it`),
      ),
  ];
  const moved = declared.find(({ name }, index) => found[index]?.name !== name);
  if (faults.length > 0 || moved === undefined) return faults;
  return [
    at(
      moved.name,
      `the SELECT gives its columns in another order: ${found.map(({ name }) => name).join(", ")}`,
    ),
  ];
}
