/*
description: >
  Rejected rows by the answer that they may belong to, as far as country, segment and amount are readable.
recorded: false
columns:
  country_code:   { type: VARCHAR, description: Country of the customers; empty if unreadable }
  segment_kind:   { type: VARCHAR, description: frequent_segment or recency_segment }
  segment:        { type: VARCHAR, description: The segment within its kind; empty if unknown }
  voucher_amount: { type: INTEGER, description: The amount; missing if unreadable }
  rejected:       { type: BIGINT, description: Rejected rows }
*/
-- Each raw value is parsed once, because it is used twice.
WITH read AS (
  SELECT
    stripped(country_code) AS country,
    moment_from_text("timestamp") AS "timestamp",
    moment_from_text(last_order_ts) AS last_order_ts,
    whole_number_from_text(total_orders) AS orders,
    whole_number_from_text(voucher_amount) AS amount
  FROM {{ "curated.vouchers_rejected" | ref }}
),

-- A row that is later than the execution date is out of scope.
rejected AS (
  SELECT
    country_from(country) AS country_code,
    frequent_segment(integer_from(0, orders)) AS frequent_segment,
    recency_segment(days_between(last_order_ts, TIMESTAMP {{ execution_date }})) AS recency_segment,
    integer_from(1, amount) AS voucher_amount
  FROM read
  WHERE coalesce(known_at(TIMESTAMP {{ execution_date }}, "timestamp", last_order_ts), true)
)

-- An empty text stands for an unreadable value. No country or segment has an empty name.
{%- for kind in segments %}
SELECT
  coalesce(country_code, '') AS country_code,
  {{ kind.name }} AS segment_kind,
  coalesce({{ kind.name | identifier }}, '') AS segment,
  voucher_amount,
  count(*) AS rejected
FROM rejected
GROUP BY ALL
{%- unless forloop.last %}
UNION ALL
{%- endunless %}
{%- endfor %}
