-- Views over the zones, for DuckDB's own command line, 1.5 or newer. In the folder of the project:
--   duckdb -init sql/shell.sql
-- It sees the files that are there now; `.read sql/shell.sql` sees new ones.
-- It cannot see which execution dates are published or withdrawn, which only the database says. So a view of one
-- date fails until you choose it: SET VARIABLE execution_date = '2020-05-29T000000'; FROM execution_dates lists them.
-- The views that end in _all have all dates. `npm run shell` chooses the date that readers see.
-- Made from the headers of the models of v1 by `npm run shell -- --write-init sql`; do not edit.

-- As in the pipeline, all times are UTC.
SET TimeZone = 'UTC';

RESET VARIABLE raw_vouchers_parquet_files;
RESET VARIABLE raw_vouchers_csv_files;
RESET VARIABLE curated_vouchers_files;
RESET VARIABLE curated_vouchers_rejected_files;
RESET VARIABLE provision_voucher_amount_usage_files;
RESET VARIABLE provision_voucher_country_most_used_files;
RESET VARIABLE provision_voucher_frequent_most_used_files;
RESET VARIABLE provision_voucher_recency_most_used_files;

-- The moment of an execution date, for sums with dates.
CREATE OR REPLACE MACRO moment_of(execution_date) AS strptime(execution_date, '%Y-%m-%dT%H%M%S');

-- The execution date of a partition, from the path of a file in its folder; NULL for a file that is in none.
CREATE OR REPLACE MACRO execution_date_of(file) AS
  CASE
    WHEN try_strptime(regexp_extract(file, '^.*/execution_date=([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6})/', 1, 's'), '%Y-%m-%dT%H%M%S') IS NOT NULL
      THEN regexp_extract(file, '^.*/execution_date=([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6})/', 1, 's')
  END;

-- The execution date that the views show.
CREATE OR REPLACE MACRO shown_date() AS
  CASE
    WHEN getvariable('execution_date') IS NULL
      THEN error(
        'no execution date is chosen for the view. Choose one with: '
        || 'SET VARIABLE execution_date = ''2020-05-29T000000''; FROM execution_dates lists them. '
        || 'The command "pipeline shell" chooses the one that readers see, if there is one'
      )
    WHEN regexp_full_match(CAST(getvariable('execution_date') AS VARCHAR), '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}')
      THEN CAST(getvariable('execution_date') AS VARCHAR)
    ELSE strftime(CAST(getvariable('execution_date') AS TIMESTAMP), '%Y-%m-%dT%H%M%S')
  END;

-- raw.vouchers: the raw files as they are. A column that a file lacks is NULL.
CREATE OR REPLACE VIEW raw_vouchers AS
  SELECT
    "timestamp", country_code, last_order_ts, first_order_ts, total_orders, voucher_amount,
    substring("__raw_file", length(getvariable('raw_zone')) + 2) AS source_file
  FROM query(concat_ws(
    ' UNION ALL BY NAME ',
    $$
    SELECT
      CAST(NULL AS VARCHAR) AS "timestamp",
      CAST(NULL AS VARCHAR) AS country_code,
      CAST(NULL AS VARCHAR) AS last_order_ts,
      CAST(NULL AS VARCHAR) AS first_order_ts,
      CAST(NULL AS VARCHAR) AS total_orders,
      CAST(NULL AS VARCHAR) AS voucher_amount,
      CAST(NULL AS VARCHAR) AS "__raw_file"
    WHERE FALSE
    $$,
    CASE WHEN len(getvariable('raw_vouchers_parquet_files')) > 0 THEN $$
    FROM read_parquet(
      getvariable('raw_vouchers_parquet_files'),
      filename = '__raw_file', hive_partitioning = FALSE, binary_as_string = TRUE,
      schema = MAP {
        'timestamp': {name: 'timestamp', type: 'VARCHAR', default_value: NULL},
        'country_code': {name: 'country_code', type: 'VARCHAR', default_value: NULL},
        'last_order_ts': {name: 'last_order_ts', type: 'VARCHAR', default_value: NULL},
        'first_order_ts': {name: 'first_order_ts', type: 'VARCHAR', default_value: NULL},
        'total_orders': {name: 'total_orders', type: 'VARCHAR', default_value: NULL},
        'voucher_amount': {name: 'voucher_amount', type: 'VARCHAR', default_value: NULL}
      }
    )
    $$ END,
    CASE WHEN len(getvariable('raw_vouchers_csv_files')) > 0 THEN $$
    FROM read_csv(
      getvariable('raw_vouchers_csv_files'),
      filename = '__raw_file', hive_partitioning = FALSE, all_varchar = TRUE, union_by_name = TRUE,
      header = TRUE, delim = ',', quote = '"', escape = '"', comment = '', skip = 0, sample_size = 1,
      strict_mode = TRUE, null_padding = FALSE, ignore_errors = FALSE
    )
    $$ END
  ));

-- curated.vouchers: all partitions, and the one of the execution date that is shown.
CREATE OR REPLACE VIEW curated_vouchers_all AS
  SELECT * EXCLUDE ("filename") REPLACE (execution_date_of("filename") AS execution_date)
  FROM query(
    CASE WHEN len(getvariable('curated_vouchers_files')) > 0 THEN $$
    FROM read_parquet(
      getvariable('curated_vouchers_files'),
      filename = 'filename', hive_partitioning = FALSE,
      schema = MAP {
        'timestamp': {name: 'timestamp', type: 'TIMESTAMP', default_value: NULL},
        'country_code': {name: 'country_code', type: 'VARCHAR', default_value: NULL},
        'last_order_ts': {name: 'last_order_ts', type: 'TIMESTAMP', default_value: NULL},
        'first_order_ts': {name: 'first_order_ts', type: 'TIMESTAMP', default_value: NULL},
        'total_orders': {name: 'total_orders', type: 'INTEGER', default_value: NULL},
        'voucher_amount': {name: 'voucher_amount', type: 'INTEGER', default_value: NULL},
        'days_since_last_order': {name: 'days_since_last_order', type: 'INTEGER', default_value: NULL},
        'frequent_segment': {name: 'frequent_segment', type: 'VARCHAR', default_value: NULL},
        'recency_segment': {name: 'recency_segment', type: 'VARCHAR', default_value: NULL},
        'execution_date': {name: 'execution_date', type: 'VARCHAR', default_value: NULL}
      }
    )
    $$ ELSE $$
    SELECT
      CAST(NULL AS TIMESTAMP) AS "timestamp",
      CAST(NULL AS VARCHAR) AS country_code,
      CAST(NULL AS TIMESTAMP) AS last_order_ts,
      CAST(NULL AS TIMESTAMP) AS first_order_ts,
      CAST(NULL AS INTEGER) AS total_orders,
      CAST(NULL AS INTEGER) AS voucher_amount,
      CAST(NULL AS INTEGER) AS days_since_last_order,
      CAST(NULL AS VARCHAR) AS frequent_segment,
      CAST(NULL AS VARCHAR) AS recency_segment,
      CAST(NULL AS VARCHAR) AS execution_date,
      CAST(NULL AS VARCHAR) AS "filename"
    WHERE FALSE
    $$ END
  );
CREATE OR REPLACE VIEW curated_vouchers AS
  FROM curated_vouchers_all
  WHERE execution_date = CASE WHEN len(getvariable('curated_vouchers_files')) > 0 THEN shown_date() END;

-- curated.vouchers_rejected: all partitions, and the one of the execution date that is shown.
CREATE OR REPLACE VIEW curated_vouchers_rejected_all AS
  SELECT * EXCLUDE ("filename") REPLACE (execution_date_of("filename") AS execution_date)
  FROM query(
    CASE WHEN len(getvariable('curated_vouchers_rejected_files')) > 0 THEN $$
    FROM read_parquet(
      getvariable('curated_vouchers_rejected_files'),
      filename = 'filename', hive_partitioning = FALSE,
      schema = MAP {
        'timestamp': {name: 'timestamp', type: 'VARCHAR', default_value: NULL},
        'country_code': {name: 'country_code', type: 'VARCHAR', default_value: NULL},
        'last_order_ts': {name: 'last_order_ts', type: 'VARCHAR', default_value: NULL},
        'first_order_ts': {name: 'first_order_ts', type: 'VARCHAR', default_value: NULL},
        'total_orders': {name: 'total_orders', type: 'VARCHAR', default_value: NULL},
        'voucher_amount': {name: 'voucher_amount', type: 'VARCHAR', default_value: NULL},
        'reject_reasons': {name: 'reject_reasons', type: 'VARCHAR[]', default_value: NULL},
        'source_file': {name: 'source_file', type: 'VARCHAR', default_value: NULL},
        'execution_date': {name: 'execution_date', type: 'VARCHAR', default_value: NULL}
      }
    )
    $$ ELSE $$
    SELECT
      CAST(NULL AS VARCHAR) AS "timestamp",
      CAST(NULL AS VARCHAR) AS country_code,
      CAST(NULL AS VARCHAR) AS last_order_ts,
      CAST(NULL AS VARCHAR) AS first_order_ts,
      CAST(NULL AS VARCHAR) AS total_orders,
      CAST(NULL AS VARCHAR) AS voucher_amount,
      CAST(NULL AS VARCHAR[]) AS reject_reasons,
      CAST(NULL AS VARCHAR) AS source_file,
      CAST(NULL AS VARCHAR) AS execution_date,
      CAST(NULL AS VARCHAR) AS "filename"
    WHERE FALSE
    $$ END
  );
CREATE OR REPLACE VIEW curated_vouchers_rejected AS
  FROM curated_vouchers_rejected_all
  WHERE execution_date = CASE WHEN len(getvariable('curated_vouchers_rejected_files')) > 0 THEN shown_date() END;

-- provision.voucher_amount_usage: all partitions, and the one of the execution date that is shown.
CREATE OR REPLACE VIEW provision_voucher_amount_usage_all AS
  SELECT * EXCLUDE ("filename") REPLACE (execution_date_of("filename") AS execution_date)
  FROM query(
    CASE WHEN len(getvariable('provision_voucher_amount_usage_files')) > 0 THEN $$
    FROM read_parquet(
      getvariable('provision_voucher_amount_usage_files'),
      filename = 'filename', hive_partitioning = FALSE,
      schema = MAP {
        'country_code': {name: 'country_code', type: 'VARCHAR', default_value: NULL},
        'segment_kind': {name: 'segment_kind', type: 'VARCHAR', default_value: NULL},
        'segment': {name: 'segment', type: 'VARCHAR', default_value: NULL},
        'voucher_amount': {name: 'voucher_amount', type: 'INTEGER', default_value: NULL},
        'assignments': {name: 'assignments', type: 'BIGINT', default_value: NULL},
        'segment_assignments': {name: 'segment_assignments', type: 'BIGINT', default_value: NULL},
        'segment_share': {name: 'segment_share', type: 'DOUBLE', default_value: NULL},
        'amount_rank': {name: 'amount_rank', type: 'INTEGER', default_value: NULL},
        'execution_date': {name: 'execution_date', type: 'VARCHAR', default_value: NULL}
      }
    )
    $$ ELSE $$
    SELECT
      CAST(NULL AS VARCHAR) AS country_code,
      CAST(NULL AS VARCHAR) AS segment_kind,
      CAST(NULL AS VARCHAR) AS "segment",
      CAST(NULL AS INTEGER) AS voucher_amount,
      CAST(NULL AS BIGINT) AS "assignments",
      CAST(NULL AS BIGINT) AS segment_assignments,
      CAST(NULL AS DOUBLE) AS segment_share,
      CAST(NULL AS INTEGER) AS amount_rank,
      CAST(NULL AS VARCHAR) AS execution_date,
      CAST(NULL AS VARCHAR) AS "filename"
    WHERE FALSE
    $$ END
  );
CREATE OR REPLACE VIEW provision_voucher_amount_usage AS
  FROM provision_voucher_amount_usage_all
  WHERE execution_date = CASE WHEN len(getvariable('provision_voucher_amount_usage_files')) > 0 THEN shown_date() END;

-- provision.voucher_country_most_used: all partitions, and the one of the execution date that is shown.
CREATE OR REPLACE VIEW provision_voucher_country_most_used_all AS
  SELECT * EXCLUDE ("filename") REPLACE (execution_date_of("filename") AS execution_date)
  FROM query(
    CASE WHEN len(getvariable('provision_voucher_country_most_used_files')) > 0 THEN $$
    FROM read_parquet(
      getvariable('provision_voucher_country_most_used_files'),
      filename = 'filename', hive_partitioning = FALSE,
      schema = MAP {
        'country_code': {name: 'country_code', type: 'VARCHAR', default_value: NULL},
        'voucher_amount': {name: 'voucher_amount', type: 'INTEGER', default_value: NULL},
        'assignments': {name: 'assignments', type: 'BIGINT', default_value: NULL},
        'country_assignments': {name: 'country_assignments', type: 'BIGINT', default_value: NULL},
        'execution_date': {name: 'execution_date', type: 'VARCHAR', default_value: NULL}
      }
    )
    $$ ELSE $$
    SELECT
      CAST(NULL AS VARCHAR) AS country_code,
      CAST(NULL AS INTEGER) AS voucher_amount,
      CAST(NULL AS BIGINT) AS "assignments",
      CAST(NULL AS BIGINT) AS country_assignments,
      CAST(NULL AS VARCHAR) AS execution_date,
      CAST(NULL AS VARCHAR) AS "filename"
    WHERE FALSE
    $$ END
  );
CREATE OR REPLACE VIEW provision_voucher_country_most_used AS
  FROM provision_voucher_country_most_used_all
  WHERE execution_date = CASE WHEN len(getvariable('provision_voucher_country_most_used_files')) > 0 THEN shown_date() END;

-- provision.voucher_frequent_most_used: all partitions, and the one of the execution date that is shown.
CREATE OR REPLACE VIEW provision_voucher_frequent_most_used_all AS
  SELECT * EXCLUDE ("filename") REPLACE (execution_date_of("filename") AS execution_date)
  FROM query(
    CASE WHEN len(getvariable('provision_voucher_frequent_most_used_files')) > 0 THEN $$
    FROM read_parquet(
      getvariable('provision_voucher_frequent_most_used_files'),
      filename = 'filename', hive_partitioning = FALSE,
      schema = MAP {
        'country_code': {name: 'country_code', type: 'VARCHAR', default_value: NULL},
        'frequent_segment': {name: 'frequent_segment', type: 'VARCHAR', default_value: NULL},
        'voucher_amount': {name: 'voucher_amount', type: 'INTEGER', default_value: NULL},
        'assignments': {name: 'assignments', type: 'BIGINT', default_value: NULL},
        'segment_assignments': {name: 'segment_assignments', type: 'BIGINT', default_value: NULL},
        'execution_date': {name: 'execution_date', type: 'VARCHAR', default_value: NULL}
      }
    )
    $$ ELSE $$
    SELECT
      CAST(NULL AS VARCHAR) AS country_code,
      CAST(NULL AS VARCHAR) AS frequent_segment,
      CAST(NULL AS INTEGER) AS voucher_amount,
      CAST(NULL AS BIGINT) AS "assignments",
      CAST(NULL AS BIGINT) AS segment_assignments,
      CAST(NULL AS VARCHAR) AS execution_date,
      CAST(NULL AS VARCHAR) AS "filename"
    WHERE FALSE
    $$ END
  );
CREATE OR REPLACE VIEW provision_voucher_frequent_most_used AS
  FROM provision_voucher_frequent_most_used_all
  WHERE execution_date = CASE WHEN len(getvariable('provision_voucher_frequent_most_used_files')) > 0 THEN shown_date() END;

-- provision.voucher_recency_most_used: all partitions, and the one of the execution date that is shown.
CREATE OR REPLACE VIEW provision_voucher_recency_most_used_all AS
  SELECT * EXCLUDE ("filename") REPLACE (execution_date_of("filename") AS execution_date)
  FROM query(
    CASE WHEN len(getvariable('provision_voucher_recency_most_used_files')) > 0 THEN $$
    FROM read_parquet(
      getvariable('provision_voucher_recency_most_used_files'),
      filename = 'filename', hive_partitioning = FALSE,
      schema = MAP {
        'country_code': {name: 'country_code', type: 'VARCHAR', default_value: NULL},
        'recency_segment': {name: 'recency_segment', type: 'VARCHAR', default_value: NULL},
        'voucher_amount': {name: 'voucher_amount', type: 'INTEGER', default_value: NULL},
        'assignments': {name: 'assignments', type: 'BIGINT', default_value: NULL},
        'segment_assignments': {name: 'segment_assignments', type: 'BIGINT', default_value: NULL},
        'execution_date': {name: 'execution_date', type: 'VARCHAR', default_value: NULL}
      }
    )
    $$ ELSE $$
    SELECT
      CAST(NULL AS VARCHAR) AS country_code,
      CAST(NULL AS VARCHAR) AS recency_segment,
      CAST(NULL AS INTEGER) AS voucher_amount,
      CAST(NULL AS BIGINT) AS "assignments",
      CAST(NULL AS BIGINT) AS segment_assignments,
      CAST(NULL AS VARCHAR) AS execution_date,
      CAST(NULL AS VARCHAR) AS "filename"
    WHERE FALSE
    $$ END
  );
CREATE OR REPLACE VIEW provision_voucher_recency_most_used AS
  FROM provision_voucher_recency_most_used_all
  WHERE execution_date = CASE WHEN len(getvariable('provision_voucher_recency_most_used_files')) > 0 THEN shown_date() END;

-- The execution dates that have partitions or publications, and what readers see of them.
CREATE OR REPLACE VIEW execution_dates AS
  SELECT
    execution_date,
    coalesce(execution_date = CASE WHEN getvariable('execution_date') IS NOT NULL THEN shown_date() END, FALSE) AS is_shown,
    coalesce(state, CASE WHEN getvariable('publications') IS NULL THEN 'unknown' ELSE 'not published' END) AS state,
    published_at, withdrawn_at, withdrawn_by, why
  FROM (
    SELECT DISTINCT execution_date_of(file) AS execution_date
    FROM (SELECT unnest(flatten([
      CAST([] AS VARCHAR[]),
      getvariable('curated_vouchers_files'),
      getvariable('curated_vouchers_rejected_files'),
      getvariable('provision_voucher_amount_usage_files'),
      getvariable('provision_voucher_country_most_used_files'),
      getvariable('provision_voucher_frequent_most_used_files'),
      getvariable('provision_voucher_recency_most_used_files')
    ])) AS file)
  )
  FULL JOIN (
    SELECT unnest(publication)
    FROM (SELECT unnest(CAST(getvariable('publications') AS STRUCT(execution_date VARCHAR, state VARCHAR, published_at VARCHAR, withdrawn_at VARCHAR, withdrawn_by VARCHAR, why VARCHAR)[])) AS publication)
  ) USING (execution_date)
  ORDER BY execution_date;

CREATE OR REPLACE MACRO path_of(location) AS rtrim(regexp_replace(location, '([^:])/+', '\1/', 'g'), '/');
-- A path is a pattern to what reads it, as it is to glob.
CREATE OR REPLACE MACRO pattern_of(path) AS regexp_replace(path, '([*?[])', '[\1]', 'g');

CREATE OR REPLACE MACRO partition_files(folder) AS TABLE (
  WITH manifests AS (
    SELECT
      filename[:-length('/_manifest.json') - 1] AS partition,
      filename AS manifest,
      -- A name that leads out of the folder makes the manifest one that cannot be read.
      list_filter(
        TRY(json_extract_string(content, '$.files[*].path')),
        lambda path: NOT regexp_matches(path, '(^|/)[.]{0,2}(/|$)|\\')
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
);

-- Where the zones are.
SET VARIABLE raw_zone = path_of(coalesce(nullif(getenv('RAW_ZONE'), ''), 'data/raw'));
SET VARIABLE curated_zone = path_of(coalesce(nullif(getenv('CURATED_ZONE'), ''), 'data/curated'));
SET VARIABLE provision_zone = path_of(coalesce(nullif(getenv('PROVISION_ZONE'), ''), 'data/provision'));

-- The files of the views, as they are now.

SET VARIABLE raw_vouchers_parquet_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM glob(pattern_of(getvariable('raw_zone')) || '/vouchers/**/*')
  WHERE regexp_matches(file, '[.]parquet([.]gzip)?$')
    -- Names that begin with a point or an underscore do not count.
    AND NOT regexp_matches(substring(file, length(getvariable('raw_zone')) + 1), '/[._]')
);

SET VARIABLE raw_vouchers_csv_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM glob(pattern_of(getvariable('raw_zone')) || '/vouchers/**/*')
  WHERE regexp_matches(file, '[.]csv([.]gz)?$')
    -- Names that begin with a point or an underscore do not count.
    AND NOT regexp_matches(substring(file, length(getvariable('raw_zone')) + 1), '/[._]')
);

SET VARIABLE "manifests" = (
  SELECT list(pattern_of(file)) FROM glob(pattern_of(getvariable('curated_zone') || '/vouchers') || '/execution_date=*/_manifest.json')
);
SET VARIABLE curated_vouchers_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM partition_files(getvariable('curated_zone') || '/vouchers')
  WHERE execution_date_of(file) IS NOT NULL
);

SET VARIABLE "manifests" = (
  SELECT list(pattern_of(file)) FROM glob(pattern_of(getvariable('curated_zone') || '/vouchers_rejected') || '/execution_date=*/_manifest.json')
);
SET VARIABLE curated_vouchers_rejected_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM partition_files(getvariable('curated_zone') || '/vouchers_rejected')
  WHERE execution_date_of(file) IS NOT NULL
);

SET VARIABLE "manifests" = (
  SELECT list(pattern_of(file)) FROM glob(pattern_of(getvariable('provision_zone') || '/voucher_amount_usage') || '/execution_date=*/_manifest.json')
);
SET VARIABLE provision_voucher_amount_usage_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM partition_files(getvariable('provision_zone') || '/voucher_amount_usage')
  WHERE execution_date_of(file) IS NOT NULL
);

SET VARIABLE "manifests" = (
  SELECT list(pattern_of(file)) FROM glob(pattern_of(getvariable('provision_zone') || '/voucher_country_most_used') || '/execution_date=*/_manifest.json')
);
SET VARIABLE provision_voucher_country_most_used_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM partition_files(getvariable('provision_zone') || '/voucher_country_most_used')
  WHERE execution_date_of(file) IS NOT NULL
);

SET VARIABLE "manifests" = (
  SELECT list(pattern_of(file)) FROM glob(pattern_of(getvariable('provision_zone') || '/voucher_frequent_most_used') || '/execution_date=*/_manifest.json')
);
SET VARIABLE provision_voucher_frequent_most_used_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM partition_files(getvariable('provision_zone') || '/voucher_frequent_most_used')
  WHERE execution_date_of(file) IS NOT NULL
);

SET VARIABLE "manifests" = (
  SELECT list(pattern_of(file)) FROM glob(pattern_of(getvariable('provision_zone') || '/voucher_recency_most_used') || '/execution_date=*/_manifest.json')
);
SET VARIABLE provision_voucher_recency_most_used_files = (
  SELECT list(pattern_of(file) ORDER BY file)
  FROM partition_files(getvariable('provision_zone') || '/voucher_recency_most_used')
  WHERE execution_date_of(file) IS NOT NULL
);
