{{ config(location=var("out") ~ "/vouchers_rejected.parquet") }}
SELECT
  CAST("timestamp" AS VARCHAR) AS "timestamp", CAST(country_code AS VARCHAR) AS country_code,
  CAST(last_order_ts AS VARCHAR) AS last_order_ts, CAST(first_order_ts AS VARCHAR) AS first_order_ts,
  CAST(total_orders AS VARCHAR) AS total_orders, CAST(voucher_amount AS VARCHAR) AS voucher_amount,
  list_filter(
    [
      {{ why("timestamp", "ts") }}, {{ why("country_code", "country") }}, {{ why("last_order_ts", "last_order") }},
      {{ why("total_orders", "orders") }}, {{ why("voucher_amount", "amount") }}
    ],
    lambda reason: reason IS NOT NULL
  ) AS reject_reasons,
  source_file,
  '{{ var("partition_key") }}' AS execution_date
FROM {{ ref("typed") }}
WHERE rejected
