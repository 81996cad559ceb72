/*
description: >
  All raw vouchers with a missing or invalid value: the six values as delivered, all reasons, and the file.
columns:
  timestamp:      { type: VARCHAR, description: "timestamp as delivered" }
  country_code:   { type: VARCHAR, description: "country_code as delivered" }
  last_order_ts:  { type: VARCHAR, description: "last_order_ts as delivered" }
  first_order_ts: { type: VARCHAR, description: "first_order_ts as delivered" }
  total_orders:   { type: VARCHAR, description: "total_orders as delivered" }
  voucher_amount: { type: VARCHAR, description: "voucher_amount as delivered" }
  reject_reasons: { type: "VARCHAR[]", description: "Reasons: <column>_missing or <column>_invalid, in column order" }
  source_file:    { type: VARCHAR, description: "The file of the row, relative to the raw zone" }
  execution_date: { type: VARCHAR, description: "The partition: the execution date without colons" }
*/
SELECT
  timestamp_text AS "timestamp",
  country_code_text AS country_code,
  last_order_ts_text AS last_order_ts,
  first_order_ts_text AS first_order_ts,
  total_orders_text AS total_orders,
  voucher_amount_text AS voucher_amount,
  -- An unreadable first order is missing and does not reject the row.
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
