/*
description: The report on one file of raw vouchers. Here raw.vouchers has only this file.
*/
-- It reads every raw column to find the same faults as a run.
SELECT
  count(*) AS rows_read,
  count(*) FILTER (WHERE is_rejected) AS rejected,
  round(count(*) FILTER (WHERE is_rejected) / nullif(count(*), 0), 4) AS rejected_share,
  count(*) FILTER (WHERE first_order_ts IS NULL) AS without_first_order,
  min("timestamp") AS first_voucher,
  max("timestamp") AS last_voucher
FROM raw.vouchers
