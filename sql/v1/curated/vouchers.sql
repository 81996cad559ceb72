/*
description: >
  All valid vouchers that were known at the execution date, one row per voucher, with the segments of the customer at
  that date.
audits:
  - not_empty
  - segments_are_known
  - known_at_execution_date
  - last_order_precedes_voucher
columns:
  timestamp:             { type: TIMESTAMP, description: "When the voucher was assigned, UTC" }
  country_code:          { type: VARCHAR, description: "Country of the customer" }
  last_order_ts:         { type: TIMESTAMP, description: "The customer's last order, UTC" }
  first_order_ts:        { type: TIMESTAMP, description: "The customer's first order, UTC; may be missing" }
  total_orders:          { type: INTEGER, description: "The customer's number of orders" }
  voucher_amount:        { type: INTEGER, description: "The voucher, in whole currency units" }
  days_since_last_order: { type: INTEGER, description: "Whole calendar days from the last order to the execution date" }
  frequent_segment:      { type: VARCHAR, description: "The customer's segment by number of orders" }
  recency_segment:       { type: VARCHAR, description: "The customer's segment by days since the last order" }
  execution_date:        { type: VARCHAR, description: "The partition: the execution date without colons" }
*/
SELECT
  "timestamp", country_code, last_order_ts, first_order_ts, total_orders, voucher_amount,
  days_between(last_order_ts, TIMESTAMP {{ execution_date }}) AS days_since_last_order,
  frequent_segment(total_orders) AS frequent_segment,
  recency_segment(days_between(last_order_ts, TIMESTAMP {{ execution_date }})) AS recency_segment,
  {{ partition_key }} AS execution_date
FROM (
  SELECT "timestamp", country_code, last_order_ts, first_order_ts, total_orders, voucher_amount
  FROM {{ "raw.vouchers" | ref }}
  WHERE NOT is_rejected AND known_at(TIMESTAMP {{ execution_date }}, "timestamp", last_order_ts)
  -- A total order gives the same bytes for any number of threads. The other columns follow from these. To sort those, too, would
  -- take a third longer.
  ORDER BY ALL
)
