/*
description: No key column is missing, and each row belongs to the execution date. Runs on every model that has a key.
*/
SELECT country_code, segment_kind, "segment", voucher_amount, execution_date
FROM provision.voucher_amount_usage
WHERE
  execution_date IS DISTINCT FROM '2020-05-29T000000'
  OR country_code IS NULL
  OR segment_kind IS NULL
  OR "segment" IS NULL
  OR voucher_amount IS NULL
ORDER BY ALL
