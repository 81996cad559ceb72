/*
description: >
  Every raw voucher in which a value is missing or invalid: the six values as they came, every reason, and the file.
columns:
  timestamp:      { type: VARCHAR, description: "timestamp as it came" }
  country_code:   { type: VARCHAR, description: "country_code as it came" }
  last_order_ts:  { type: VARCHAR, description: "last_order_ts as it came" }
  first_order_ts: { type: VARCHAR, description: "first_order_ts as it came" }
  total_orders:   { type: VARCHAR, description: "total_orders as it came" }
  voucher_amount: { type: VARCHAR, description: "voucher_amount as it came" }
  reject_reasons: { type: "VARCHAR[]", description: "Why: <column>_missing or <column>_invalid, in column order" }
  source_file:    { type: VARCHAR, description: "The file the row came from, relative to the raw zone" }
  execution_date: { type: VARCHAR, description: "The partition: the execution date without colons" }
*/
SELECT
  timestamp_text AS "timestamp",
  country_code_text AS country_code,
  last_order_ts_text AS last_order_ts,
  first_order_ts_text AS first_order_ts,
  total_orders_text AS total_orders,
  voucher_amount_text AS voucher_amount,
  -- The first order rejects nothing: what cannot be read there is missing.
  reasons_given(
    reject_reason('timestamp', "timestamp", timestamp_text),
    reject_reason('country_code', country_code, country_code_text),
    reject_reason('last_order_ts', last_order_ts, last_order_ts_text),
    reject_reason('total_orders', total_orders, total_orders_text),
    reject_reason('voucher_amount', voucher_amount, voucher_amount_text)
  ) AS reject_reasons,
  source_file,
  '2020-05-29T000000' AS execution_date
FROM raw.vouchers
WHERE is_rejected
ORDER BY ALL
