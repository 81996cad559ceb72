{{ config(materialized="table") }}
SELECT
  *,
  ts IS NULL OR country IS NULL OR last_order IS NULL OR orders IS NULL OR amount IS NULL AS rejected
FROM (
  SELECT
    *,
    {{ utc('"timestamp"') }} AS ts,
    nullif({{ strip("country_code") }}, '') AS country,
    {{ utc("last_order_ts") }} AS last_order,
    {{ utc("first_order_ts") }} AS first_order,
    {{ whole("total_orders", 0) }} AS orders,
    {{ whole("voucher_amount", 1) }} AS amount
  FROM read_parquet('{{ var("raw") }}', filename = 'source_file', binary_as_string = true, hive_partitioning = false)
)
