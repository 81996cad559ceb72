import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { FAILSAFE_SCHEMA, mergeTag, nullCoreTag } from "js-yaml";
import * as z from "zod";
import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import { parseExecutionDate, type ExecutionDate } from "../voucher/execution-date.js";
import { TESTS_FOLDER, type SqlVersion } from "./load.js";
import { isRaw, usedAudit, usesOf, type Model } from "./model.js";
import { referencesOf } from "./order.js";
import { faultInYaml, pathOf, placeInYaml, valueOfYaml, type YamlText } from "./yaml-text.js";

/** A value as it is written: a text, a list of texts, or none. It is read by the type of its column. */
const value = z.union([z.string(), z.null(), z.array(z.string().nullable())]);
const row = z.record(z.string(), value);
const audits = z.union([z.string().transform((name) => [name]), z.array(z.string())]);

const caseSchema = z
  .strictObject({
    name: z.string().min(1),
    execution_date: z.string().default("2020-05-29"),
    /** The rows of models, by their names. The other models are computed from these. */
    given: z.record(z.string(), z.array(row)).default({}),
    /** The rows that the model must give. */
    expect: z.array(row).optional(),
    /** Whether the rows must come in this order. */
    ordered: z
      .enum(["true", "false"])
      .default("false")
      .transform((text) => text === "true"),
    /** Audits of the model that must find rows. */
    raises: audits.default([]),
    /** Audits of the model that must find none. */
    passes: audits.default([]),
  })
  .refine(
    (one) => one.expect !== undefined || one.raises.length + one.passes.length > 0,
    "a case needs expect, raises or passes",
  );

const fileSchema = z.array(caseSchema);

export type TestValue = z.output<typeof value>;
/** A row of a test. A column that it does not name is NULL if given, and not compared if expected. */
export type TestRow = Readonly<z.output<typeof row>>;

/** One case of a test. */
export interface TestCase extends Readonly<Omit<z.output<typeof caseSchema>, "execution_date" | "given">> {
  readonly executionDate: ExecutionDate;
  readonly given: ReadonlyMap<string, readonly TestRow[]>;
  /** The line of the file of a part of it, for example `["expect", 0]`. */
  lineOf(part: readonly (string | number)[]): number;
}

/** The tests of one model. */
export interface TestFile {
  readonly model: Model;
  /** As messages name it: `sql/v1/tests/curated.vouchers.yaml`. */
  readonly file: string;
  readonly cases: readonly TestCase[];
}

/** The readable tests, and the faults of the others. */
export interface FoundTests {
  readonly files: readonly TestFile[];
  readonly faults: readonly string[];
}

/** Reads the tests of a version: `<sqlDirectory>/<version>/tests/<model>.yaml`. */
export async function readTestFiles(sqlDirectory: string, version: SqlVersion): Promise<FoundTests> {
  const folder = path.join(sqlDirectory, version.name, TESTS_FOLDER);
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw new PipelineError("INVALID_MODEL", `cannot read ${folder}: ${messageOf(error)}`, { cause: error });
  });
  const files: TestFile[] = [];
  const faults: string[] = [];
  for (const name of names.filter((one) => !one.startsWith(".")).sort()) {
    try {
      const text = await readFile(path.join(folder, name), "utf8");
      files.push(parseTestFile(version, name, text));
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== "INVALID_MODEL") throw error;
      faults.push(error.message);
    }
  }
  return { files, faults };
}

/**
 * Reads the tests of one model.
 * @param name of the file: the name of the model and `.yaml`.
 * @throws PipelineError INVALID_MODEL that lists every fault with file and line.
 */
export function parseTestFile(version: SqlVersion, name: string, text: string): TestFile {
  const file = `sql/${version.name}/${TESTS_FOLDER}/${name}`;
  const model = version.models.find((one) => `${one.name}.yaml` === name);
  if (model === undefined) {
    const known = version.models.map((one) => `${one.name}.yaml`).join(", ");
    throw new PipelineError(
      "INVALID_MODEL",
      `${file}:1: there is no such model; known names of tests: ${known}`,
    );
  }
  const yaml: YamlText = { file, text, linesBefore: 0 };
  const parsed = fileSchema.safeParse(valueOfYaml(yaml, { schema: AS_WRITTEN }));
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => faultInYaml(yaml, pathOf(issue), explain(issue)));
    throw new PipelineError("INVALID_MODEL", faults.join("\n"));
  }
  const faults = faultsOfCases(version, model, yaml, parsed.data);
  if (faults.length > 0) throw new PipelineError("INVALID_MODEL", faults.join("\n"));
  const cases = parsed.data.map(({ execution_date, given, ...rest }, index) => ({
    ...rest,
    executionDate: parseExecutionDate(execution_date),
    given: new Map(Object.entries(given)),
    lineOf: (part: readonly (string | number)[]) => placeInYaml(yaml, [index, ...part]).line,
  }));
  return { model, file, cases };
}

/** Every value is a text as it is written, so that `7.0` stays `7.0`, unless it is empty, `~` or `null`. */
const AS_WRITTEN = FAILSAFE_SCHEMA.withTags([nullCoreTag, mergeTag]);

function explain(issue: z.core.$ZodIssue): string {
  const place = issue.path.length > 1 ? `${issue.path.slice(1).join(".")}: ` : "";
  if (issue.code !== "unrecognized_keys") return place + issue.message;
  const unknown = issue.keys.map((key) => `'${key}'`).join(", ");
  return `${place}unknown key ${unknown}; known keys: ${Object.keys(caseSchema.shape).join(", ")}`;
}

/** Faults that the schema does not find: unknown models, columns and audits, and invalid dates. */
function faultsOfCases(
  version: SqlVersion,
  model: Model,
  yaml: YamlText,
  cases: z.output<typeof fileSchema>,
): string[] {
  const readable = upstreamOf(version, model);
  const ownAudits = usesOf(model).map(({ audit }) => audit);
  const firstOf = new Map(cases.map(({ name }, index) => [name, index] as const).reverse());
  return cases.flatMap((one, index) => {
    const fault = (part: readonly (string | number)[], message: string) =>
      faultInYaml(yaml, [index, ...part], message);
    const unknownColumns = (rows: readonly TestRow[], part: readonly string[], owner: Model) =>
      rows.flatMap((cells, place) =>
        Object.keys(cells)
          .filter((column) => !columnsOf(owner, part[0] === "given").includes(column))
          .map((column) =>
            fault(
              [...part, place, column],
              `unknown column '${column}' of ${owner.name}; known columns: ${columnsOf(owner, part[0] === "given").join(", ")}`,
            ),
          ),
      );
    return [
      ...(firstOf.get(one.name) === index
        ? []
        : [fault(["name"], `another case has the name '${one.name}'`)]),
      ...(isDate(one.execution_date)
        ? []
        : [fault(["execution_date"], `'${one.execution_date}' is not a valid date, such as 2020-05-29`)]),
      ...Object.entries(one.given).flatMap(([name, rows]) => {
        const owner = version.models.find((known) => known.name === name);
        return owner === undefined || !readable.has(name)
          ? [
              fault(
                ["given", name],
                `${model.name} does not read '${name}'; it reads: ${[...readable].join(", ")}`,
              ),
            ]
          : unknownColumns(rows, ["given", name], owner);
      }),
      ...(one.expect === undefined ? [] : unknownColumns(one.expect, ["expect"], model)),
      ...(one.expect !== undefined && !isRaw(model) && model.name in one.given
        ? [fault(["expect"], `${model.name} is given, so it gives no other rows; use raises or passes`)]
        : []),
      ...(["raises", "passes"] as const).flatMap((key) =>
        one[key]
          .filter((audit) => !ownAudits.includes(audit))
          .map((audit) =>
            fault([key], `unknown audit '${audit}' of ${model.name}; its audits: ${ownAudits.join(", ")}`),
          ),
      ),
    ];
  });
}

/** A raw model is given as rows of a raw file, and any other model as its own rows. */
function columnsOf(model: Model, isGiven: boolean): string[] {
  return Object.keys(isGiven && isRaw(model) ? model.header.reads : model.header.columns);
}

function isDate(text: string): boolean {
  try {
    parseExecutionDate(text);
    return true;
  } catch {
    return false;
  }
}

/** The model itself, and all models that it and its audits read, directly or through others. */
function upstreamOf({ models, audits: all }: SqlVersion, model: Model): Set<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    const one = models.find((known) => known.name === name);
    if (one === undefined || found.has(name)) return;
    found.add(name);
    referencesOf(one).forEach(visit);
  };
  visit(model.name);
  for (const use of usesOf(model)) {
    const audit = usedAudit(model, use, all);
    if (audit !== undefined) referencesOf(audit).forEach(visit);
  }
  return found;
}

/** The JSON Schema of a file of tests, for editors. They see numbers and truth values, which are texts here. */
export function testJsonSchema(): object {
  return z.toJSONSchema(fileSchema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === (value as unknown)) {
        delete jsonSchema.anyOf;
        jsonSchema.type = ["string", "number", "boolean", "null", "array"] as unknown as "string";
      } else if (jsonSchema.enum?.includes("true") === true) {
        delete jsonSchema.enum;
        jsonSchema.type = "boolean";
        jsonSchema.default = false;
      }
    },
  });
}
