/*
description: What is told of a file of raw vouchers. The relation is then made of that file alone.
*/
-- Every raw column is read, so that a fault in any of them is found, as a run would find it.
SELECT
  count(*) AS rows_read,
  count(*) FILTER (WHERE is_rejected) AS rejected,
  round(count(*) FILTER (WHERE is_rejected) / nullif(count(*), 0), 4) AS rejected_share,
  count(*) FILTER (WHERE first_order_ts IS NULL) AS without_first_order,
  min("timestamp") AS first_voucher,
  max("timestamp") AS last_voucher
FROM {{ "raw.vouchers" | ref }}
