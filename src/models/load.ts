import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { messageOf, PipelineError } from "../base/errors.js";
import { CERTAINTY_FILE, parseCertaintyScale, type CertaintyScale } from "../voucher/certainty.js";
import { isReservedTable } from "../voucher/reserved-tables.js";
import { parseSegments, SEGMENTS_FILE, type Segments } from "../voucher/segment-rules.js";
import type { DialectName } from "./dialect.js";
import { parseHeader } from "./header.js";
import {
  EVERY_KEY,
  EVERY_PUBLISHED,
  isWritten,
  LAYERS,
  usedAudit,
  type Audit,
  type Inspection,
  type Layer,
  type Model,
  type WrittenModel,
} from "./model.js";

/** The folder of a version with the tests of its models. */
export const TESTS_FOLDER = "tests" as const;

/** One version of all business rules, from its folder. */
export interface SqlVersion {
  readonly name: string;
  readonly models: readonly Model[];
  readonly audits: ReadonlyMap<string, Audit>;
  /** The inspections of raw files, by the name of the model. */
  readonly inspections: ReadonlyMap<string, Inspection>;
  /** The templates of the functions that the models share, by engine. */
  readonly functions: ReadonlyMap<string, FunctionsFile>;
  readonly segments: Segments;
  /** The words of certainty; undefined in versions that are older than these words. */
  readonly certainty: CertaintyScale | undefined;
  /** The text of every file of the version, by its path below the SQL folder. */
  readonly texts: ReadonlyMap<string, string>;
  /** SHA-256 over the names and the texts of all files. */
  readonly hash: string;
}

/** The functions that the models share, for one engine. */
export interface FunctionsFile {
  readonly file: string;
  readonly template: string;
}

/**
 * The functions of a version for one engine.
 * @throws PipelineError INVALID_MODEL if the version has none for it.
 */
export function functionsIn(
  { functions, name }: Pick<SqlVersion, "functions" | "name">,
  engine: DialectName,
): FunctionsFile {
  const found = functions.get(engine);
  if (found === undefined) throw missing(name, `functions/${engine}.sql`);
  return found;
}

function missing(version: string, file: string): PipelineError {
  return new PipelineError("INVALID_MODEL", `sql/${version}/${file} is missing`);
}

/**
 * Loads `<sqlDirectory>/<version>`.
 * @throws PipelineError INVALID_MODEL if a file is missing or malformed.
 */
export async function loadSqlVersion(sqlDirectory: string, version: string): Promise<SqlVersion> {
  return parseSqlVersion(version, await readTexts(sqlDirectory, version));
}

/**
 * Makes a version from the texts of its files, which come from a folder or from the record of a run.
 * @param texts by their paths below the SQL folder, sorted by path.
 * @throws PipelineError INVALID_MODEL that lists every missing or malformed file.
 */
export function parseSqlVersion(version: string, texts: ReadonlyMap<string, string>): SqlVersion {
  const { readable, faults } = readSqlVersion(version, texts);
  if (readable === undefined || faults.length > 0)
    throw new PipelineError("INVALID_MODEL", faults.join("\n"));
  return readable;
}

/** The readable part of a version, and all faults of the rest. */
export interface PartOfVersion {
  /** The version without its faulty files; undefined if it cannot be rendered without them. */
  readonly readable: SqlVersion | undefined;
  /** The faulty models and audits, by their names. */
  readonly unreadable: ReadonlySet<string>;
  /** Each with its file and, if it is known, its line. */
  readonly faults: readonly string[];
}

/** Reads the readable part of `<sqlDirectory>/<version>`. */
export async function loadPartOfVersion(sqlDirectory: string, version: string): Promise<PartOfVersion> {
  return readSqlVersion(version, await readTexts(sqlDirectory, version));
}

function readSqlVersion(version: string, texts: ReadonlyMap<string, string>): PartOfVersion {
  const faults: string[] = [];
  const unreadable = new Set<string>();
  /** The content of a file; nothing if it has a fault. */
  const unlessFaulty = <Part>(name: string, read: () => Part): Part[] => {
    try {
      return [read()];
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== "INVALID_MODEL") throw error;
      faults.push(error.message);
      unreadable.add(name);
      return [];
    }
  };
  const readAll = <Part>(folder: string, read: (name: string, file: string, text: string) => Part): Part[] =>
    sqlFilesIn(texts, `${version}/${folder}/`).flatMap(([name, file, text]) =>
      unlessFaulty(`${folder}.${name}`, () => read(name, file, text)),
    );
  const rulesIn = <Rules>(file: string, parse: (text: string, file: string) => Rules): Rules[] =>
    unlessFaulty(file, () => {
      const text = texts.get(`${version}/${file}`);
      if (text === undefined) throw missing(version, file);
      return parse(text, `sql/${version}/${file}`);
    });
  const [segments] = rulesIn(SEGMENTS_FILE, parseSegments);
  const [certainty] = texts.has(`${version}/${CERTAINTY_FILE}`)
    ? rulesIn(CERTAINTY_FILE, parseCertaintyScale)
    : [];
  const models = LAYERS.flatMap((layer) =>
    readAll(layer, (table, file, text) => modelOf(layer, table, file, text)),
  );
  const audits = readAll("audits", auditOf);
  const inspections = readAll(
    "inspections",
    (table, file, text) => [`raw.${table}`, inspectionOf(file, text)] as const,
  );
  const functions = sqlFilesIn(texts, `${version}/functions/`).map(
    ([engine, file, template]) => [engine, { file: `sql/${file}`, template }] as const,
  );
  const read = {
    models,
    audits: new Map(audits.map((audit) => [audit.name, audit])),
    inspections: new Map(inspections),
  };
  faults.push(...faultsOfModels(read, unreadable));
  const loaded = {
    name: version,
    ...read,
    functions: new Map(functions),
    certainty,
    texts,
    hash: hashOfTexts(texts),
  };
  unlessFaulty("functions", () => functionsIn(loaded, "duckdb"));
  const isWhole = segments !== undefined && !unreadable.has(CERTAINTY_FILE) && !unreadable.has("functions");
  return { readable: isWhole ? { ...loaded, segments } : undefined, unreadable, faults };
}

/** The text of every file of a version by its path below the SQL folder, sorted by path. */
async function readTexts(sqlDirectory: string, version: string): Promise<Map<string, string>> {
  try {
    const entries = await readdir(path.join(sqlDirectory, version), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) =>
        path.relative(sqlDirectory, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/"),
      )
      // A test changes no rule: runs neither load nor store it, and the version stays the same.
      .filter((file) => !file.startsWith(`${version}/${TESTS_FOLDER}/`))
      .sort();
    return new Map(
      await Promise.all(
        files.map(async (file) => [file, await readFile(path.join(sqlDirectory, file), "utf8")] as const),
      ),
    );
  } catch (error) {
    throw new PipelineError(
      "INVALID_MODEL",
      `cannot read the SQL version '${version}': ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** The `.sql` files directly in a folder. */
function sqlFilesIn(
  texts: ReadonlyMap<string, string>,
  folder: string,
): [name: string, file: string, text: string][] {
  return [...texts]
    .filter(([file]) => file.startsWith(folder) && /^[^/]+\.sql$/.test(file.slice(folder.length)))
    .map(([file, text]) => [path.basename(file, ".sql"), file, text]);
}

function modelOf(layer: Layer, table: string, file: string, template: string): Model {
  const named = { name: `${layer}.${table}`, table, file: `sql/${file}`, template };
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(table)) {
    throw new PipelineError(
      "INVALID_MODEL",
      `${named.file}: the file name must be lower case letters, digits and _`,
    );
  }
  switch (layer) {
    case "raw":
      return { ...named, layer, header: parseHeader("raw", named.file, template) };
    case "measures":
      return { ...named, layer, header: parseHeader("measure", named.file, template) };
    default:
      return { ...named, layer, header: parseHeader("written", named.file, template) };
  }
}

function auditOf(name: string, file: string, template: string): Audit {
  return { name, file: `sql/${file}`, template, header: parseHeader("audit", `sql/${file}`, template) };
}

function inspectionOf(file: string, template: string): Inspection {
  return { file: `sql/${file}`, template, header: parseHeader("inspection", `sql/${file}`, template) };
}

/** The hash of a version, by the texts of its files, sorted by path. */
export function hashOfTexts(texts: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const [file, text] of texts) hash.update(`${file}\0${text}\0`);
  return hash.digest("hex");
}

/**
 * Compares the models of a version with each other: faults that one header alone does not show.
 * @param unreadable models and audits that exist, and have a fault already.
 */
function faultsOfModels(
  { models, audits, inspections }: Pick<SqlVersion, "models" | "audits" | "inspections">,
  unreadable: ReadonlySet<string>,
): string[] {
  return [
    ...[...EVERY_KEY, ...EVERY_PUBLISHED]
      .filter((audit) => !audits.has(audit) && !unreadable.has(`audits.${audit}`))
      .map((audit) => `the audit '${audit}' is missing; it is required for every model`),
    ...models.flatMap((model) => [
      ...(isWritten(model) ? faultsOfWritten(model) : []),
      ...faultsOfAudits(model, audits, unreadable),
    ]),
    ...[...inspections]
      .filter(([inspected]) => !models.some(({ name }) => name === inspected) && !unreadable.has(inspected))
      .map(([inspected, { file }]) => `${file}: the model ${inspected} does not exist`),
  ];
}

function faultsOfWritten({ file, header, table, template }: WrittenModel): string[] {
  const faults: string[] = [];
  const { columns, key, publish } = header;
  if (!endsInOrder(template)) {
    faults.push(
      `${file}: add ORDER BY ALL at the end, so that each run writes the same bytes; ` +
        "after it, only the end of SELECT … FROM (SELECT … ORDER BY ALL) keeps the order",
    );
  }
  if (columns["execution_date"]?.type !== "VARCHAR") {
    faults.push(`${file}: add a column execution_date of type VARCHAR`);
  }
  for (const column of key ?? []) {
    const declared = columns[column];
    if (declared === undefined) faults.push(`${file}: key: unknown column '${column}'`);
    else if (publish && !declared.publish)
      faults.push(`${file}: key: the column '${column}' must be published`);
  }
  if (publish && isReservedTable(table)) {
    faults.push(
      `${file}:${lineOf(template, /^publish:/m).toString()}: publish: the table name ${table} is reserved; ` +
        "rename the file",
    );
  }
  if (publish && key === undefined) faults.push(`${file}: publish: a published model needs a key`);
  for (const [column, { type, publish: published }] of Object.entries(columns)) {
    if (publish && published && type === "VARCHAR[]") {
      faults.push(`${file}: columns.${column}: a list cannot be published; set publish: false`);
    }
  }
  return faults;
}

function faultsOfAudits(
  model: Model,
  audits: SqlVersion["audits"],
  unreadable: ReadonlySet<string>,
): string[] {
  return model.header.audits.flatMap((use) => {
    const { audit, own } = use;
    if (own !== undefined && audits.has(audit)) {
      return [`${model.file}: audits: '${audit}' is already the name of another audit; rename it`];
    }
    if (usedAudit(model, use, audits) !== undefined || unreadable.has(`audits.${audit}`)) return [];
    return [
      `${model.file}: audits: unknown audit '${audit}'; known audits: ${[...audits.keys()].join(", ")}`,
    ];
  });
}

/** The line of the first match of a pattern; the first line if there is none. */
function lineOf(text: string, pattern: RegExp): number {
  return text.slice(0, Math.max(0, text.search(pattern))).split("\n").length;
}

/** Whether the outermost SELECT has an ORDER BY, or selects from a subquery that ends in one. */
function endsInOrder(template: string): boolean {
  const bare = template.replaceAll(NOT_SQL, "");
  const [, before = "", after = ""] = /^([\s\S]+)\border\s+by\b([\s\S]*)$/i.exec(bare) ?? [];
  if (before === "") return false;
  if (before.split("(").length === before.split(")").length) return true;
  const open = openParentheses(before);
  if (!open.every((place) => /\bfrom\s*$/i.test(before.slice(0, place)))) return false;
  // No outer SELECT may change the order, or add rows.
  const starts = [0, ...open];
  const outer = open.map((place, index) => withoutParentheses(before.slice(starts[index], place)));
  const isSubqueryLast = /^[^()]*(\)\s*((as\s+)?\w+\s*)?)+$/i.test(withoutParentheses(after));
  return isSubqueryLast && !outer.some((select) => REORDERS.test(select));
}

/** Comments, tags of templates, texts and quoted names. */
const NOT_SQL =
  /\/\*[\s\S]*?\*\/|\{%-?\s*comment[\s\S]*?endcomment\s*-?%\}|\{[{%][\s\S]*?[%}]\}|--.*|'[^']*'|"[^"]*"/g;

const REORDERS = /\b(distinct|over|unnest|explode|union|except|intersect)\b/i;

/** A text without what stands in closed parentheses. */
function withoutParentheses(text: string): string {
  const outer = text.replaceAll(/\([^()]*\)/g, "");
  return outer === text ? text : withoutParentheses(outer);
}

/** The places of the parentheses that a text opens and does not close. */
function openParentheses(text: string): number[] {
  const open: number[] = [];
  for (const { 0: parenthesis, index } of text.matchAll(/[()]/g))
    if (parenthesis === "(") open.push(index);
    else open.pop();
  return open;
}
