-- What a person would write who has DuckDB and nothing else: the contract's curated, rejected and provision files, in
-- total order, with no audit, no staging, no record and no publish. Variables: raw, out, execution_date, partition_key.
SET TimeZone = 'UTC';

CREATE MACRO strip(t) AS trim(t, E' \t\n\r' || chr(11) || chr(12));
CREATE MACRO utc(t) AS
  CASE
    WHEN suffix(t, '+00:00') THEN TRY_CAST(t AS TIMESTAMP)
    WHEN NOT contains(t, '+') AND t NOT LIKE '%-%-%-%' THEN TRY_CAST(t AS TIMESTAMP)
    WHEN TRY_CAST(t AS TIMESTAMP) IS NOT NULL THEN make_timestamp(epoch_us(TRY_CAST(t AS TIMESTAMPTZ)))
  END;
CREATE MACRO whole(t, low) AS
  CASE
    WHEN regexp_full_match(CAST(t AS VARCHAR), '\s*[+]?[0-9]+([.]0*)?\s*') AND TRY_CAST(t AS BIGINT) BETWEEN low AND 2147483647
      THEN TRY_CAST(t AS INTEGER)
  END;
CREATE MACRO why(name, value, t) AS
  CASE WHEN value IS NULL THEN name || CASE WHEN coalesce(strip(CAST(t AS VARCHAR)), '') = '' THEN '_missing' ELSE '_invalid' END END;

CREATE VIEW typed AS
SELECT
  *,
  utc("timestamp") AS ts,
  nullif(strip(country_code), '') AS country,
  utc(last_order_ts) AS last_order,
  TRY_CAST(first_order_ts AS TIMESTAMP) AS first_order,
  whole(total_orders, 0) AS orders,
  whole(voucher_amount, 1) AS amount
FROM read_parquet(getvariable('raw'), filename = 'source_file', binary_as_string = true, hive_partitioning = false);

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
    FROM typed
    WHERE
      ts <= getvariable('execution_date') AND last_order <= getvariable('execution_date')
      AND length(country) <= 64 AND orders IS NOT NULL AND amount IS NOT NULL
  )
  ORDER BY ALL
) TO (getvariable('out') || '/vouchers.parquet') (FORMAT parquet, COMPRESSION zstd);

COPY (
  SELECT
    CAST("timestamp" AS VARCHAR) AS "timestamp", CAST(country_code AS VARCHAR) AS country_code,
    CAST(last_order_ts AS VARCHAR) AS last_order_ts, CAST(first_order_ts AS VARCHAR) AS first_order_ts,
    CAST(total_orders AS VARCHAR) AS total_orders, CAST(voucher_amount AS VARCHAR) AS voucher_amount,
    list_filter(
      [
        why('timestamp', ts, "timestamp"), why('country_code', country, country_code),
        why('last_order_ts', last_order, last_order_ts), why('total_orders', orders, total_orders),
        why('voucher_amount', amount, voucher_amount)
      ],
      lambda reason: reason IS NOT NULL
    ) AS reject_reasons,
    source_file,
    getvariable('partition_key') AS execution_date
  FROM typed
  WHERE ts IS NULL OR country IS NULL OR last_order IS NULL OR orders IS NULL OR amount IS NULL
  ORDER BY ALL
) TO (getvariable('out') || '/vouchers_rejected.parquet') (FORMAT parquet, COMPRESSION zstd);

COPY (
  SELECT
    country_code, frequent_segment, voucher_amount, count(*) AS assignments,
    CAST(sum(count(*)) OVER (PARTITION BY country_code, frequent_segment) AS BIGINT) AS segment_assignments,
    getvariable('partition_key') AS execution_date
  FROM read_parquet(getvariable('out') || '/vouchers.parquet')
  GROUP BY country_code, frequent_segment, voucher_amount
  QUALIFY
    row_number() OVER (PARTITION BY country_code, frequent_segment ORDER BY count(*) DESC, voucher_amount) = 1
  ORDER BY country_code, list_position(['0-4', '5-13', '13-37', '37+'], frequent_segment)
) TO (getvariable('out') || '/voucher_frequent_most_used.parquet') (FORMAT parquet, COMPRESSION zstd);

COPY (
  SELECT
    country_code, recency_segment, voucher_amount, count(*) AS assignments,
    CAST(sum(count(*)) OVER (PARTITION BY country_code, recency_segment) AS BIGINT) AS segment_assignments,
    getvariable('partition_key') AS execution_date
  FROM read_parquet(getvariable('out') || '/vouchers.parquet')
  GROUP BY country_code, recency_segment, voucher_amount
  QUALIFY
    row_number() OVER (PARTITION BY country_code, recency_segment ORDER BY count(*) DESC, voucher_amount) = 1
  ORDER BY country_code, list_position(['0-30', '30-60', '60-90', '90-120', '120-180', '180+'], recency_segment)
) TO (getvariable('out') || '/voucher_recency_most_used.parquet') (FORMAT parquet, COMPRESSION zstd);
