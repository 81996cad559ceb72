import { PipelineError } from "../base/errors.js";
import { identifier, identifiers, listLiteral, literal } from "../sql-text/literal.js";
import type { SqlVersion } from "./load.js";
import { isRaw, isWritten, type RawModel, type WrittenModel } from "./model.js";

/**
 * The views over the zones, as SQL that both DuckDB's library and its command line run. A view reads the files that
 * variables list at its use. So its creation reads no file, and a faulty file breaks no other view.
 */
export function viewsSql({ models }: Pick<SqlVersion, "models">): string {
  assertDistinct([
    ...models.filter(isRaw).map(viewOf),
    ...models.filter(isWritten).flatMap((model) => [viewOf(model), allOf(model)]),
  ]);
  return [
    DATE_MACROS,
    ...models.flatMap((model) => {
      if (isRaw(model)) return [rawView(model)];
      return isWritten(model) ? [writtenViews(model)] : [];
    }),
    datesView(models.filter(isWritten)),
  ].join("\n\n");
}

/** The view of a model: `curated.vouchers` becomes `curated_vouchers`, its partition of the selected execution date. */
export function viewOf({ layer, table }: RawModel | WrittenModel): string {
  return `${layer}_${table}`;
}

/** The view of all partitions. */
export function allOf(model: WrittenModel): string {
  return `${viewOf(model)}_all`;
}

/** The variable that lists the files of the partitions of a model, as patterns, from the oldest to the newest. */
export function partitionsVariable(model: WrittenModel): string {
  return `${viewOf(model)}_files`;
}

/** The variable that lists the raw files of one format, as patterns. */
export function rawFilesVariable(model: RawModel, format: "csv" | "parquet"): string {
  return `${viewOf(model)}_${format}_files`;
}

/** The variable with the common start of the path of every raw file. */
export const RAW_ZONE_VARIABLE = "raw_zone";

/** Every variable that lists files. */
export function fileVariables({ models }: Pick<SqlVersion, "models">): string[] {
  return models.flatMap((model) => {
    if (isRaw(model)) return [rawFilesVariable(model, "parquet"), rawFilesVariable(model, "csv")];
    return isWritten(model) ? [partitionsVariable(model)] : [];
  });
}

/** Sets a variable to paths, as patterns. */
export function setFiles(variable: string, patterns: readonly string[]): string {
  return setVariable(variable, `CAST(${listLiteral(patterns)} AS VARCHAR[])`);
}

/** Sets a variable to the value of a SQL expression. */
export function setVariable(variable: string, expression: string): string {
  return `SET VARIABLE ${identifier(variable)} = ${expression};`;
}

/** The variable with the execution date of the views, in any spelling of a moment. */
export const DATE_VARIABLE = "execution_date";

/** The variable with the known publications: a list of structs. NULL if they are unknown. */
export const PUBLICATIONS_VARIABLE = "publications";

/** The facts about the publication of an execution date, in the order of the columns of `execution_dates`. */
const PUBLICATION_COLUMNS = ["state", "published_at", "withdrawn_at", "withdrawn_by", "why"] as const;

/** The facts about an execution date: its partition key, and then each column. */
export type PublicationState = Readonly<
  Record<"execution_date", string> & Record<(typeof PUBLICATION_COLUMNS)[number], string | null>
>;

/** Sets the variable to the known publications. */
export function setPublications(states: readonly PublicationState[]): string {
  const fields = ["execution_date", ...PUBLICATION_COLUMNS] as const;
  const value = (text: string | null) => (text === null ? "NULL" : literal(text));
  const rows = states.map(
    (state) => `{${fields.map((name) => `${name}: ${value(state[name])}`).join(", ")}}`,
  );
  return setVariable(PUBLICATIONS_VARIABLE, `CAST([${rows.join(", ")}] AS ${PUBLICATIONS_TYPE})`);
}

const PUBLICATIONS_TYPE = `STRUCT(${["execution_date", ...PUBLICATION_COLUMNS].map((name) => `${name} VARCHAR`).join(", ")})[]`;

const KEY = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}";
const KEY_FORMAT = "%Y-%m-%dT%H%M%S";

const DATE_MACROS = `-- The moment of an execution date, for sums with dates.
CREATE OR REPLACE MACRO moment_of(execution_date) AS strptime(execution_date, '${KEY_FORMAT}');

-- The execution date of a partition, from the path of a file in its folder; NULL for a file that is in none.
CREATE OR REPLACE MACRO execution_date_of(file) AS
  CASE
    WHEN try_strptime(regexp_extract(file, '^.*/execution_date=(${KEY})/', 1, 's'), '${KEY_FORMAT}') IS NOT NULL
      THEN regexp_extract(file, '^.*/execution_date=(${KEY})/', 1, 's')
  END;

-- The execution date that the views show.
CREATE OR REPLACE MACRO shown_date() AS
  CASE
    WHEN getvariable('${DATE_VARIABLE}') IS NULL
      THEN error(
        'no execution date is chosen for the view. Choose one with: '
        || 'SET VARIABLE ${DATE_VARIABLE} = ''2020-05-29T000000''; FROM execution_dates lists them. '
        || 'The command "pipeline shell" chooses the one that readers see, if there is one'
      )
    WHEN regexp_full_match(CAST(getvariable('${DATE_VARIABLE}') AS VARCHAR), '${KEY}')
      THEN CAST(getvariable('${DATE_VARIABLE}') AS VARCHAR)
    ELSE strftime(CAST(getvariable('${DATE_VARIABLE}') AS TIMESTAMP), '${KEY_FORMAT}')
  END;`;

function datesView(models: readonly WrittenModel[]): string {
  const files = models.map((model) => variable(partitionsVariable(model)));
  const known = variable(PUBLICATIONS_VARIABLE);
  const isChosen = `getvariable(${literal(DATE_VARIABLE)}) IS NOT NULL`;
  return `-- The execution dates that have partitions or publications, and what readers see of them.
CREATE OR REPLACE VIEW execution_dates AS
  SELECT
    execution_date,
    coalesce(execution_date = CASE WHEN ${isChosen} THEN shown_date() END, FALSE) AS is_shown,
    coalesce(state, CASE WHEN ${known} IS NULL THEN 'unknown' ELSE 'not published' END) AS state,
    ${PUBLICATION_COLUMNS.filter((name) => name !== "state").join(", ")}
  FROM (
    SELECT DISTINCT execution_date_of(file) AS execution_date
    FROM (SELECT unnest(flatten([
      CAST([] AS VARCHAR[]),
      ${files.join(",\n      ")}
    ])) AS file)
  )
  FULL JOIN (
    SELECT unnest(publication)
    FROM (SELECT unnest(CAST(${known} AS ${PUBLICATIONS_TYPE})) AS publication)
  ) USING (execution_date)
  ORDER BY execution_date;`;
}

type TypedName = readonly [name: string, type: string];

/** Only with this name, DuckDB skips files whose path shows that nothing in them matches. */
const FILE_COLUMN = "filename";
/** A name that no raw file has as a column. */
const RAW_FILE_COLUMN = "__raw_file";

function writtenViews(model: WrittenModel): string {
  const columns = Object.entries(model.header.columns).map(([name, { type }]): TypedName => [name, type]);
  const file = nameNotIn(Object.keys(model.header.columns), FILE_COLUMN);
  const files = variable(partitionsVariable(model));
  // The types of the header apply to every file, even to one from an older version of the model.
  const read = `FROM read_parquet(
      ${files},
      filename = ${literal(file)}, hive_partitioning = FALSE,
      schema = ${schemaOf(columns)}
    )`;
  return `-- ${model.name}: all partitions, and the one of the execution date that is shown.
CREATE OR REPLACE VIEW ${identifier(allOf(model))} AS
  SELECT * EXCLUDE (${identifier(file)}) REPLACE (execution_date_of(${identifier(file)}) AS execution_date)
  FROM query(
    CASE WHEN len(${files}) > 0 THEN ${quoted(read)} ELSE ${quoted(emptySelect([...columns, [file, "VARCHAR"]]))} END
  );
CREATE OR REPLACE VIEW ${identifier(viewOf(model))} AS
  FROM ${identifier(allOf(model))}
  WHERE execution_date = CASE WHEN len(${files}) > 0 THEN shown_date() END;`;
}

function rawView(model: RawModel): string {
  const names = Object.keys(model.header.reads);
  const columns = names.map((name): TypedName => [name, "VARCHAR"]);
  const file = nameNotIn(names, RAW_FILE_COLUMN);
  const parquet = variable(rawFilesVariable(model, "parquet"));
  const csv = variable(rawFilesVariable(model, "csv"));
  const readParquet = `FROM read_parquet(
      ${parquet},
      filename = ${literal(file)}, hive_partitioning = FALSE, binary_as_string = TRUE,
      schema = ${schemaOf(columns)}
    )`;
  // All options that the sniffer could guess are explicit. It only reads the names, which decide what files go
  // together.
  const readCsv = `FROM read_csv(
      ${csv},
      filename = ${literal(file)}, hive_partitioning = FALSE, all_varchar = TRUE, union_by_name = TRUE,
      header = TRUE, delim = ',', quote = '"', escape = '"', comment = '', skip = 0, sample_size = 1,
      strict_mode = TRUE, null_padding = FALSE, ignore_errors = FALSE
    )`;
  const ifAny = (files: string, read: string) => `CASE WHEN len(${files}) > 0 THEN ${quoted(read)} END`;
  return `-- ${model.name}: the raw files as they are. A column that a file lacks is NULL.
CREATE OR REPLACE VIEW ${identifier(viewOf(model))} AS
  SELECT
    ${identifiers(names)},
    substring(${identifier(file)}, length(${variable(RAW_ZONE_VARIABLE)}) + 2) AS ${identifier(nameNotIn(names, "source_file"))}
  FROM query(concat_ws(
    ' UNION ALL BY NAME ',
    ${quoted(emptySelect([...columns, [file, "VARCHAR"]]))},
    ${ifAny(parquet, readParquet)},
    ${ifAny(csv, readCsv)}
  ));`;
}

function variable(name: string): string {
  return `getvariable(${literal(name)})`;
}

/** A SELECT of no rows with these columns. */
function emptySelect(columns: readonly TypedName[]): string {
  const values = columns.map(([name, type]) => `CAST(NULL AS ${type}) AS ${identifier(name)}`);
  return `SELECT\n      ${values.join(",\n      ")}\n    WHERE FALSE`;
}

/** The columns to read from Parquet files, by name. Each is cast to its type, and is NULL if a file does not have it. */
function schemaOf(columns: readonly TypedName[]): string {
  const entries = columns.map(
    ([name, type]) =>
      `${literal(name)}: {name: ${literal(name)}, type: ${literal(type)}, default_value: NULL}`,
  );
  return `MAP {\n        ${entries.join(",\n        ")}\n      }`;
}

/** SQL within SQL, quoted so that it stays readable. */
function quoted(sql: string): string {
  return sql.includes("$$") ? literal(sql) : `$$\n    ${sql}\n    $$`;
}

/** DuckDB's names ignore case. */
function nameNotIn(names: readonly string[], wanted: string): string {
  const taken = new Set(names.map((name) => name.toLowerCase()));
  let name = wanted;
  while (taken.has(name)) name += "_";
  return name;
}

function assertDistinct(views: readonly string[]): void {
  const twice = views.find((view, index) => views.indexOf(view) !== index);
  if (twice === undefined) return;
  throw new PipelineError(
    "INVALID_MODEL",
    `two models have the same view '${twice}' in the shell; rename one of them`,
  );
}
