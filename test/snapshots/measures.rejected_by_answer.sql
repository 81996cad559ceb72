/*
description: >
  The rejected rows by the answer that they might have counted for, as far as each row tells country, segment and amount.
recorded: false
columns:
  country_code:   { type: VARCHAR, description: Country of the customers; empty where it cannot be read }
  segment_kind:   { type: VARCHAR, description: frequent_segment or recency_segment }
  segment:        { type: VARCHAR, description: The segment within its kind; empty where it cannot be told }
  voucher_amount: { type: INTEGER, description: The amount; missing where it cannot be read }
  rejected:       { type: BIGINT, description: Rejected rows }
*/
-- What each raw value says is found out once, before it is used twice.
WITH read AS (
  SELECT
    stripped(country_code) AS country,
    moment_from_text("timestamp") AS "timestamp",
    moment_from_text(last_order_ts) AS last_order_ts,
    whole_number_from_text(total_orders) AS orders,
    whole_number_from_text(voucher_amount) AS amount
  FROM curated.vouchers_rejected
),

-- What is surely later than the execution date would have been out of scope.
rejected AS (
  SELECT
    country_from(country) AS country_code,
    frequent_segment(integer_from(0, orders)) AS frequent_segment,
    recency_segment(days_between(last_order_ts, TIMESTAMP '2020-05-29 00:00:00')) AS recency_segment,
    integer_from(1, amount) AS voucher_amount
  FROM read
  WHERE coalesce(known_at(TIMESTAMP '2020-05-29 00:00:00', "timestamp", last_order_ts), true)
)

-- An empty text stands for what cannot be read: no country and no segment is one.
SELECT
  coalesce(country_code, '') AS country_code,
  'frequent_segment' AS segment_kind,
  coalesce(frequent_segment, '') AS segment,
  voucher_amount,
  count(*) AS rejected
FROM rejected
GROUP BY ALL
UNION ALL
SELECT
  coalesce(country_code, '') AS country_code,
  'recency_segment' AS segment_kind,
  coalesce(recency_segment, '') AS segment,
  voucher_amount,
  count(*) AS rejected
FROM rejected
GROUP BY ALL
