import { identifier, literal } from "../sql-text/literal.js";
import type { SqlVersion } from "./load.js";
import { isRaw, isWritten, type RawModel, type WrittenModel } from "./model.js";
import {
  fileVariables,
  partitionsVariable,
  RAW_ZONE_VARIABLE,
  rawFilesVariable,
  setVariable,
  viewsSql,
} from "./shell-views.js";

/** The zones of .env.example: their variables and default paths. */
const ZONES = [
  { layer: "raw", variable: RAW_ZONE_VARIABLE, setting: "RAW_ZONE", folder: "data/raw" },
  { layer: "curated", variable: "curated_zone", setting: "CURATED_ZONE", folder: "data/curated" },
  { layer: "provision", variable: "provision_zone", setting: "PROVISION_ZONE", folder: "data/provision" },
] as const;

/** `dist/sql/shell.sql`, which the build writes: the statements that create the views in DuckDB's own command line. */
export function initText(version: Pick<SqlVersion, "models" | "name">): string {
  return `-- Views over the zones, for the duckdb command, 1.5 or newer. Run in the project folder:
--   duckdb -init dist/sql/shell.sql
-- The views show the current files; \`.read dist/sql/shell.sql\` adds new files.
-- Only the database knows which execution dates are published or withdrawn. So a view of one
-- date fails until you choose it: SET VARIABLE execution_date = '2020-05-29T000000'; FROM execution_dates lists them.
-- Views with the suffix _all show all dates. \`npx pipeline shell\` chooses the published date.
-- \`npm run build\` generates this file from the model headers of ${version.name}; do not edit it.

${initSql(version)}
`;
}

/** `dist/sql/shell-s3.sql`: the statements before `dist/sql/shell.sql` if zones are on S3. */
export function s3InitText(): string {
  return `-- Views over zones on S3, for the duckdb command, 1.5 or newer. Run in the project folder:
--   duckdb -init dist/sql/shell-s3.sql
-- \`npm run build\` generates this file; do not edit it.

${S3_SQL}

.read dist/sql/shell.sql
`;
}

/** The pipeline's own sessions use it, too. */
export const UTC_SQL = "-- All times are UTC, as in the pipeline.\nSET TimeZone = 'UTC';";

/** The statements that create the views, from zones that the environment names. */
function initSql(version: Pick<SqlVersion, "models">): string {
  return [
    UTC_SQL,
    // If the views are created again, no variable may still list old files.
    fileVariables(version)
      .map((name) => `RESET VARIABLE ${identifier(name)};`)
      .join("\n"),
    viewsSql(version),
    PATHS,
    PARTITION_FILES,
    `-- The places of the zones.\n${ZONES.map(zoneSql).join("\n")}`,
    "-- The current files of the views.",
    ...version.models.flatMap((model) => {
      if (isRaw(model)) return [rawFilesSql(model, "parquet"), rawFilesSql(model, "csv")];
      return isWritten(model) ? [partitionsSql(model)] : [];
    }),
  ].join("\n\n");
}

/**
 * The statements that limit a session with the views to their files. It can read no other file, and create none. It
 * can still overwrite one of these files if a statement names it.
 */
export function reachSql(version: Pick<SqlVersion, "models">): string {
  const files = fileVariables(version).map((name) => `getvariable(${literal(name)})`);
  return `-- From here on only these files can be opened.
SET VARIABLE readable_files = (
  SELECT coalesce(list(path), CAST([] AS VARCHAR[]))
  FROM (
    -- DuckDB asks for a path as it is given to it, and once more as it was found.
    SELECT unnest([pattern, regexp_replace(pattern, '\\[([*?[])\\]', '\\1', 'g')]) AS path
    FROM (
      SELECT unnest(flatten([
        ${files.join(",\n        ")}
      ])) AS pattern
    )
  )
);
SET allowed_paths = getvariable('readable_files');
SET enable_external_access = FALSE;`;
}

/** The statements that give DuckDB its extension for S3, and the keys of the environment. */
export const S3_SQL = `SET extension_directory =
  coalesce(nullif(getenv('DUCKDB_EXTENSION_DIRECTORY'), ''), current_setting('extension_directory'));
SET custom_extension_repository =
  coalesce(nullif(getenv('DUCKDB_EXTENSION_REPOSITORY'), ''), current_setting('custom_extension_repository'));
-- Where it is installed already, nothing is fetched.
INSTALL httpfs;
LOAD httpfs;
SET ca_cert_file = coalesce(nullif(getenv('AWS_CA_BUNDLE'), ''), current_setting('ca_cert_file'));

SET VARIABLE s3_endpoint =
  rtrim(coalesce(nullif(getenv('AWS_ENDPOINT_URL_S3'), ''), getenv('AWS_ENDPOINT_URL')), '/');
-- This alone would print that it is done.
.once /dev/null
CREATE OR REPLACE SECRET zones (
  TYPE s3,
  KEY_ID getenv('AWS_ACCESS_KEY_ID'),
  SECRET getenv('AWS_SECRET_ACCESS_KEY'),
  SESSION_TOKEN getenv('AWS_SESSION_TOKEN'),
  REGION coalesce(nullif(getenv('AWS_REGION'), ''), 'us-east-1'),
  ENDPOINT coalesce(nullif(regexp_replace(getvariable('s3_endpoint'), '^https?://', ''), ''), 's3.amazonaws.com'),
  USE_SSL NOT starts_with(getvariable('s3_endpoint'), 'http://'),
  -- AWS is leaving the path style; other services seldom have a host name for each bucket.
  URL_STYLE coalesce(
    nullif(getenv('S3_URL_STYLE'), ''), CASE getvariable('s3_endpoint') WHEN '' THEN 'vhost' ELSE 'path' END
  )
);`;

/** A result of glob begins with the given path, without a `/` that follows another. */
const PATHS = `CREATE OR REPLACE MACRO path_of(location) AS rtrim(regexp_replace(location, '([^:])/+', '\\1/', 'g'), '/');
-- A path is a pattern to what reads it, as it is to glob.
CREATE OR REPLACE MACRO pattern_of(path) AS regexp_replace(path, '([*?[])', '[\\1]', 'g');`;

function zoneSql({ variable, setting, folder }: (typeof ZONES)[number]): string {
  const said = `coalesce(nullif(getenv(${literal(setting)}), ''), ${literal(folder)})`;
  return setVariable(variable, `path_of(${said})`);
}

function zoneOf(layer: "raw" | "curated" | "provision"): string {
  const { variable } = ZONES.find((zone) => zone.layer === layer) ?? ZONES[0];
  return `getvariable(${literal(variable)})`;
}

/**
 * A manifest lists the files of its partition; a partition without one is its data.parquet. If there is no manifest,
 * `read_text` must not look for any. An unreadable manifest is listed instead of its files, so that its view fails
 * with a message that names it.
 */
const PARTITION_FILES = `CREATE OR REPLACE MACRO partition_files(folder) AS TABLE (
  WITH manifests AS (
    SELECT
      filename[:-length('/_manifest.json') - 1] AS partition,
      filename AS manifest,
      -- A name that leads out of the folder makes the manifest one that cannot be read.
      list_filter(
        TRY(json_extract_string(content, '$.files[*].path')),
        lambda path: NOT regexp_matches(path, '(^|/)[.]{0,2}(/|$)|\\\\')
      ) AS paths,
      TRY(json_array_length(content, '$.files')) AS named
    FROM query(
      CASE WHEN len(getvariable('manifests')) > 0
        THEN $$ SELECT filename, content FROM read_text(getvariable('manifests')) $$
        ELSE $$ SELECT '' AS filename, '' AS content WHERE FALSE $$
      END
    )
  )
  SELECT
    unnest(
      CASE WHEN len(paths) > 0 AND len(paths) = named THEN list_transform(paths, lambda path: partition || '/' || path) ELSE [manifest] END
    ) AS file
  FROM manifests
  UNION ALL
  SELECT file
  FROM glob(pattern_of(folder) || '/execution_date=*/data.parquet')
  WHERE file[:-length('/data.parquet') - 1] NOT IN (SELECT partition FROM manifests)
);`;

function partitionsSql(model: WrittenModel): string {
  const folder = `${zoneOf(model.layer)} || ${literal(`/${model.table}`)}`;
  const manifests = setVariable(
    "manifests",
    `(
  SELECT list(pattern_of(file)) FROM glob(pattern_of(${folder}) || '/execution_date=*/_manifest.json')
)`,
  );
  const files = setVariable(
    partitionsVariable(model),
    `(
  SELECT list(pattern_of(file) ORDER BY file)
  FROM partition_files(${folder})
  WHERE execution_date_of(file) IS NOT NULL
)`,
  );
  return `${manifests}\n${files}`;
}

const RAW_NAMES = { parquet: "[.]parquet([.]gzip)?$", csv: "[.]csv([.]gz)?$" };

function rawFilesSql(model: RawModel, format: "csv" | "parquet"): string {
  const zone = zoneOf("raw");
  const files = `pattern_of(${zone}) || ${literal(`/${model.header.folder}/**/*`)}`;
  return setVariable(
    rawFilesVariable(model, format),
    `(
  SELECT list(pattern_of(file) ORDER BY file)
  FROM glob(${files})
  WHERE regexp_matches(file, ${literal(RAW_NAMES[format])})
    -- Names that begin with a point or an underscore do not count.
    AND NOT regexp_matches(substring(file, length(${zone}) + 1), '/[._]')
)`,
  );
}
