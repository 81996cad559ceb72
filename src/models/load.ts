import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { messageOf, PipelineError } from "../base/errors.js";
import { SEGMENTS_FILE } from "../voucher/read-segments.js";
import { parseSegments, type Segments } from "../voucher/segments.js";
import { checkModels } from "./check.js";
import type { DialectName } from "./dialect.js";
import { parseHeader } from "./header.js";
import { LAYERS, type Audit, type Inspection, type Layer, type Model } from "./model.js";

/** One version of all business rules, as its folder holds it. */
export interface SqlVersion {
  readonly name: string;
  readonly models: readonly Model[];
  readonly audits: ReadonlyMap<string, Audit>;
  /** What is told of each file of a raw model, by the name of the model. */
  readonly inspections: ReadonlyMap<string, Inspection>;
  /** The templates of the functions that the models share, by the engine that has them. */
  readonly functions: ReadonlyMap<string, FunctionsFile>;
  readonly segments: Segments;
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
 * The functions of a version as an engine has them.
 * @throws PipelineError INVALID_MODEL where the version has none for it.
 */
export function functionsIn({ functions, name }: SqlVersion, engine: DialectName): FunctionsFile {
  const found = functions.get(engine);
  if (found === undefined) throw missing(name, `functions/${engine}.sql`);
  return found;
}

function missing(version: string, file: string): PipelineError {
  return new PipelineError("INVALID_MODEL", `sql/${version}/${file} is missing`);
}

/**
 * Loads `<sqlDirectory>/<version>`.
 * @throws PipelineError INVALID_MODEL where a file is missing or malformed.
 */
export async function loadSqlVersion(sqlDirectory: string, version: string): Promise<SqlVersion> {
  return parseSqlVersion(version, await readTexts(sqlDirectory, version));
}

/**
 * Makes a version of the texts of its files, as a folder or the record of a run has them.
 * @param texts by their paths below the SQL folder, sorted by path.
 * @throws PipelineError INVALID_MODEL where a file is missing or malformed.
 */
export function parseSqlVersion(version: string, texts: ReadonlyMap<string, string>): SqlVersion {
  const textOf = (file: string) => {
    const text = texts.get(`${version}/${file}`);
    if (text === undefined) throw missing(version, file);
    return text;
  };
  const segments = parseSegments(textOf(SEGMENTS_FILE), `sql/${version}/${SEGMENTS_FILE}`);
  const models = LAYERS.flatMap((layer) =>
    sqlFilesIn(texts, `${version}/${layer}/`).map(([table, file, text]) => modelOf(layer, table, file, text)),
  );
  const audits = sqlFilesIn(texts, `${version}/audits/`).map(([name, file, text]) =>
    auditOf(name, file, text),
  );
  const inspections = sqlFilesIn(texts, `${version}/inspections/`).map(
    ([table, file, text]) => [`raw.${table}`, inspectionOf(file, text)] as const,
  );
  const functions = sqlFilesIn(texts, `${version}/functions/`).map(
    ([engine, file, template]) => [engine, { file: `sql/${file}`, template }] as const,
  );
  const loaded: SqlVersion = {
    name: version,
    models,
    audits: new Map(audits.map((audit) => [audit.name, audit])),
    inspections: new Map(inspections),
    functions: new Map(functions),
    segments,
    texts,
    hash: hashOfTexts(texts),
  };
  checkModels(loaded);
  functionsIn(loaded, "duckdb");
  return loaded;
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
      `${named.file}: name the file in lower case letters, digits and _`,
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
