{{ config(location=var("out") ~ "/vouchers.parquet") }}
SELECT
  ts AS "timestamp", country AS country_code, last_order AS last_order_ts, first_order AS first_order_ts,
  orders AS total_orders, amount AS voucher_amount, days AS days_since_last_order,
  CASE WHEN orders <= 4 THEN '0-4' WHEN orders <= 13 THEN '5-13' WHEN orders <= 37 THEN '13-37' ELSE '37+' END
    AS frequent_segment,
  CASE
    WHEN days <= 30 THEN '0-30' WHEN days <= 60 THEN '30-60' WHEN days <= 90 THEN '60-90'
    WHEN days <= 120 THEN '90-120' WHEN days <= 180 THEN '120-180' ELSE '180+'
  END AS recency_segment,
  '{{ var("partition_key") }}' AS execution_date
FROM (
  SELECT
    *,
    CAST(date_diff('day', CAST(last_order AS DATE), DATE '{{ var("execution_date") }}') AS INTEGER) AS days
  FROM {{ ref("typed") }}
  WHERE
    ts <= TIMESTAMP '{{ var("execution_date") }}' AND last_order <= TIMESTAMP '{{ var("execution_date") }}'
    AND length(country) <= 64 AND NOT rejected
)
