/*
description: What is told of a file of raw vouchers. The relation is then made of that file alone.
*/
SELECT
  count(*) AS rows_read,
  count(*) FILTER (is_rejected) AS rejected,
  round(count(*) FILTER (is_rejected) / nullif(count(*), 0), 4) AS rejected_share,
  min("timestamp") AS first_voucher,
  max("timestamp") AS last_voucher
FROM raw.vouchers
