import * as z from "zod";
import { PipelineError } from "../base/errors.js";
import { faultInYaml, pathOf, placeInYaml, valueOfYaml, type Place, type YamlText } from "./yaml-text.js";

/** The possible types of a column, by DuckDB's names. */
export const COLUMN_TYPES = [
  "VARCHAR",
  "INTEGER",
  "BIGINT",
  "DOUBLE",
  "BOOLEAN",
  "DATE",
  "TIMESTAMP",
  "VARCHAR[]",
] as const;

const name = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, "must be at most 64 lower case letters, digits and _");

const columnSchema = z.strictObject({
  type: z.enum(COLUMN_TYPES),
  description: z.string().min(1),
  /** The longest text in code points, for the column of the published table. */
  max_length: z.int().positive().max(16_000).optional(),
  /** False keeps the column out of the published table. */
  publish: z.boolean().default(true),
});

/** The effect of a broken promise: `error` ends the run, `warn` is a warning. */
const severity = z.enum(["error", "warn"]);

/** How many rows may break a promise: a number of them, or a share of the rows of the model. */
const threshold = z
  .strictObject({ rows: z.int().nonnegative(), share: z.number().min(0).max(1) })
  .partial()
  .refine((limits) => Object.keys(limits).length === 1, "set either rows or share");

const tolerance = { severity: severity.optional(), threshold: threshold.optional() };

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const auditOptions = z
  .object({
    ...tolerance,
    /** The query and the promise of the model's own audit. The query selects the rows that break the promise. */
    select: z.string().min(1).optional(),
    description: z.string().min(1).optional(),
  })
  .catchall(z.union([scalar, z.array(scalar).min(1)]))
  .refine(
    ({ description, select }) => (description === undefined) === (select === undefined),
    "an audit in a header needs both a description and a select",
  );

/** An audit: its name, its name with parameters and an own tolerance, or the model's own audit. */
const auditUseSchema = z
  .preprocess((use) => (typeof use === "string" ? { [use]: {} } : use), z.record(name, auditOptions))
  .refine((use) => Object.keys(use).length === 1, "each entry must name one audit")
  .transform((use) => {
    const [[audit, options] = ["", {}]] = Object.entries(use);
    const { description, select, severity, threshold, ...parameters } = options;
    const own = description === undefined || select === undefined ? undefined : { description, select };
    return { audit, parameters, severity, threshold, own };
  });

const described = { description: z.string().min(1) };
const shaped = {
  ...described,
  columns: z.record(name, columnSchema),
  audits: z.array(auditUseSchema).default([]),
};

const headerSchemas = {
  raw: z.strictObject({
    ...shaped,
    /** The folder of the files, in the raw zone. */
    folder: name,
    /** The columns that every raw file must have, with their kinds. */
    reads: z.record(z.string().min(1), z.enum(["moment", "number", "text"])),
  }),
  written: z.strictObject({
    ...shaped,
    key: z.array(name).min(1).optional(),
    publish: z.boolean().default(false),
  }),
  measure: z.strictObject({
    ...shaped,
    /** False if only other measures read it: its rows stay out of the run's record and summary. */
    recorded: z.boolean().default(true),
  }),
  audit: z.strictObject({
    ...described,
    severity: severity.default("error"),
    threshold: threshold.default({ rows: 0 }),
    /** Whether it reads raw files, or only numbers of rows. DuckDB reads those from footers, also beside a cluster. */
    reads_files: z.boolean().default(false),
  }),
  inspection: z.strictObject(described),
  functions: z.strictObject(described),
};

export type HeaderKind = keyof typeof headerSchemas;
export type Header<Kind extends HeaderKind> = Readonly<z.output<(typeof headerSchemas)[Kind]>>;
/** How a model uses an audit. */
export type AuditUse = Header<"measure">["audits"][number];
export type Column = Readonly<z.output<typeof columnSchema>>;
export type Severity = z.output<typeof severity>;
export type Threshold = Readonly<z.output<typeof threshold>>;

/** The block comment at the start of a SQL file. */
export const HEADER = /^\/\*\n([\s\S]*?)\*\//;

/**
 * Reads the header of a SQL file: YAML in the block comment at its start.
 * @param file the name of the file, for messages.
 * @throws PipelineError INVALID_MODEL that names the file, the line and the allowed words.
 */
export function parseHeader<Kind extends HeaderKind>(kind: Kind, file: string, text: string): Header<Kind> {
  const yaml = yamlOf(file, text);
  if (yaml === undefined) {
    throw new PipelineError(
      "INVALID_MODEL",
      `${file}:1: must begin with a header: YAML between a line /* and */`,
    );
  }
  const parsed = headerSchemas[kind].safeParse(valueOfYaml(yaml));
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => faultInYaml(yaml, pathOf(issue), explain(kind, issue)));
    throw new PipelineError("INVALID_MODEL", faults.join("\n"));
  }
  return parsed.data as Header<Kind>;
}

/** The place in a SQL file of a part of its header, such as `["columns", "month"]`, or of the nearest existing part. */
export function placeInHeader(text: string, path: readonly PropertyKey[]): Place {
  const yaml = yamlOf("", text);
  return yaml === undefined ? { line: 1, column: 1 } : placeInYaml(yaml, path);
}

/** The JSON Schema of the header of a kind of file, for editors. */
export function headerJsonSchema(kind: HeaderKind): object {
  return z.toJSONSchema(headerSchemas[kind], { io: "input" });
}

/** The comment's first line is not part of the YAML. */
function yamlOf(file: string, text: string): YamlText | undefined {
  const yaml = HEADER.exec(text)?.[1];
  return yaml === undefined ? undefined : { file, text: yaml, linesBefore: 1 };
}

function explain(kind: HeaderKind, issue: z.core.$ZodIssue): string {
  const place = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
  if (issue.code === "invalid_key") return place + (issue.issues[0]?.message ?? issue.message);
  if (issue.code !== "unrecognized_keys") return place + issue.message;
  const known = issue.path[0] === "columns" ? columnSchema.shape : headerSchemas[kind].shape;
  const unknown = issue.keys.map((key) => `'${key}'`).join(", ");
  return `${place}unknown key ${unknown}; known keys: ${Object.keys(known).join(", ")}`;
}
