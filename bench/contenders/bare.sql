-- The fastest script that a careful person would write who has the duckdb command line and nothing else: the contract's curated,
-- rejected and provision files, in total order, with no audit, no staging, no record and no publish. It knows the spellings that
-- the feed may have, and refuses others. It reads the view `raw`, and the variables out, execution_date and partition_key.
SET TimeZone = 'UTC';

CREATE MACRO strip(t) AS trim(t, E' \t\n\r' || chr(11) || chr(12));
-- The casts would take blanks for digits, and drop an offset: the shape is looked at before.
-- The usual spellings come first; what is none of them pays for a regular expression.
CREATE MACRO utc
  (t VARCHAR) AS
    CASE
      WHEN t GLOB '????-??-??' AND t >= '0' THEN TRY_CAST(t AS TIMESTAMP)
      WHEN t GLOB '????-??-?[0-9] [0-9]?:??:??.??????+00:00' AND t >= '0' THEN TRY_CAST(t AS TIMESTAMP)
      WHEN t GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9]Z' AND t >= '0' THEN TRY_CAST(t AS TIMESTAMP)
      WHEN t GLOB '????-??-?[0-9] [0-9]?:??:?[0-9]+00:00' AND t >= '0' THEN TRY_CAST(t AS TIMESTAMP)
      WHEN
        regexp_full_match(
          t,
          '\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?\s*'
        )
        THEN make_timestamp(epoch_us(TRY_CAST(t AS TIMESTAMPTZ)))
    END,
  (t TIMESTAMP) AS t;
CREATE MACRO whole
  (t VARCHAR, low) AS
    CASE
      WHEN regexp_full_match(t, '\s*[+]?[0-9]+([.]0*)?\s*') AND TRY_CAST(t AS BIGINT) BETWEEN low AND 2147483647
        THEN TRY_CAST(t AS INTEGER)
    END,
  (t DOUBLE, low) AS CASE WHEN t = trunc(t) AND t BETWEEN low AND 2147483647 THEN CAST(t AS INTEGER) END,
  (t INTEGER, low) AS CASE WHEN t >= low THEN t END;
CREATE MACRO why(name, value, t) AS
  CASE WHEN value IS NULL THEN name || CASE WHEN coalesce(strip(t), '') = '' THEN '_missing' ELSE '_invalid' END END;

-- Reading texts costs more than keeping what they say, so they are read once. A filter here would read them twice. A list has
-- room for texts in the rejected rows alone.
CREATE TEMP TABLE typed AS
SELECT
  ts, country, last_order, first_order, orders, amount,
  CASE
    WHEN rejected
      THEN [
        CAST("timestamp" AS VARCHAR), CAST(country_code AS VARCHAR), CAST(last_order_ts AS VARCHAR),
        CAST(first_order_ts AS VARCHAR), CAST(total_orders AS VARCHAR), CAST(voucher_amount AS VARCHAR), source_file
      ]
  END AS rejected_texts
FROM (
  SELECT *, ts IS NULL OR country IS NULL OR last_order IS NULL OR orders IS NULL OR amount IS NULL AS rejected
  FROM (
    SELECT
      *,
      utc("timestamp") AS ts,
      nullif(strip(country_code), '') AS country,
      utc(last_order_ts) AS last_order,
      utc(first_order_ts) AS first_order,
      whole(total_orders, 0) AS orders,
      whole(voucher_amount, 1) AS amount
    FROM raw
  )
);

-- The columns that determine the others are sorted alone; here and below, the others are computed after that.
COPY (
  SELECT
    ts AS "timestamp", country AS country_code, last_order AS last_order_ts, first_order AS first_order_ts,
    orders AS total_orders, amount AS voucher_amount, days AS days_since_last_order,
    CASE WHEN orders <= 4 THEN '0-4' WHEN orders <= 13 THEN '5-13' WHEN orders <= 37 THEN '13-37' ELSE '37+' END
      AS frequent_segment,
    CASE
      WHEN days <= 30 THEN '0-30' WHEN days <= 60 THEN '30-60' WHEN days <= 90 THEN '60-90'
      WHEN days <= 120 THEN '90-120' WHEN days <= 180 THEN '120-180' ELSE '180+'
    END AS recency_segment,
    getvariable('partition_key') AS execution_date
  FROM (
    SELECT
      *,
      CAST(date_diff('day', CAST(last_order AS DATE), CAST(getvariable('execution_date') AS DATE)) AS INTEGER) AS days
    FROM (
      SELECT ts, country, last_order, first_order, orders, amount
      FROM typed
      WHERE
        rejected_texts IS NULL AND length(country) <= 64
        AND ts <= getvariable('execution_date') AND last_order <= getvariable('execution_date')
      ORDER BY ts, country, last_order, first_order, orders, amount
    )
  )
) TO (getvariable('out') || '/vouchers.parquet') (FORMAT parquet, COMPRESSION zstd);

COPY (
  SELECT
    rejected_texts[1] AS "timestamp", rejected_texts[2] AS country_code, rejected_texts[3] AS last_order_ts,
    rejected_texts[4] AS first_order_ts, rejected_texts[5] AS total_orders, rejected_texts[6] AS voucher_amount,
    list_filter(
      [
        why('timestamp', ts, rejected_texts[1]), why('country_code', country, rejected_texts[2]),
        why('last_order_ts', last_order, rejected_texts[3]), why('total_orders', orders, rejected_texts[5]),
        why('voucher_amount', amount, rejected_texts[6])
      ],
      lambda reason: reason IS NOT NULL
    ) AS reject_reasons,
    rejected_texts[7] AS source_file,
    getvariable('partition_key') AS execution_date
  FROM (FROM typed WHERE rejected_texts IS NOT NULL ORDER BY rejected_texts)
) TO (getvariable('out') || '/vouchers_rejected.parquet') (FORMAT parquet, COMPRESSION zstd);

CREATE TEMP TABLE counted AS
SELECT country_code, frequent_segment, recency_segment, voucher_amount, count(*) AS vouchers
FROM read_parquet(getvariable('out') || '/vouchers.parquet')
GROUP BY ALL;

COPY (
  SELECT
    country_code, frequent_segment, voucher_amount, CAST(sum(vouchers) AS BIGINT) AS assignments,
    CAST(sum(sum(vouchers)) OVER (PARTITION BY country_code, frequent_segment) AS BIGINT) AS segment_assignments,
    getvariable('partition_key') AS execution_date
  FROM counted
  GROUP BY country_code, frequent_segment, voucher_amount
  QUALIFY
    row_number() OVER (PARTITION BY country_code, frequent_segment ORDER BY sum(vouchers) DESC, voucher_amount) = 1
  ORDER BY country_code, list_position(['0-4', '5-13', '13-37', '37+'], frequent_segment)
) TO (getvariable('out') || '/voucher_frequent_most_used.parquet') (FORMAT parquet, COMPRESSION zstd);

COPY (
  SELECT
    country_code, recency_segment, voucher_amount, CAST(sum(vouchers) AS BIGINT) AS assignments,
    CAST(sum(sum(vouchers)) OVER (PARTITION BY country_code, recency_segment) AS BIGINT) AS segment_assignments,
    getvariable('partition_key') AS execution_date
  FROM counted
  GROUP BY country_code, recency_segment, voucher_amount
  QUALIFY
    row_number() OVER (PARTITION BY country_code, recency_segment ORDER BY sum(vouchers) DESC, voucher_amount) = 1
  ORDER BY country_code, list_position(['0-30', '30-60', '60-90', '90-120', '120-180', '180+'], recency_segment)
) TO (getvariable('out') || '/voucher_recency_most_used.parquet') (FORMAT parquet, COMPRESSION zstd);
