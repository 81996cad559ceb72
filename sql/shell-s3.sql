-- Views over zones on S3, for DuckDB's own command line, 1.5 or newer. In the folder of the project:
--   duckdb -init sql/shell-s3.sql
-- Made by `npm run shell -- --write-init sql`; do not edit.

SET extension_directory =
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
);

.read sql/shell.sql
