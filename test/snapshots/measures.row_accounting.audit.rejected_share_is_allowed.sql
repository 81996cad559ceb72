/*
description: The share of rejected rows is at most MAX_REJECTED_SHARE.
*/
SELECT
  rejected,
  rows_read,
  rejected / rows_read AS rejected_share,
  CAST('0.5' AS DOUBLE) AS allowed_share
FROM measures.row_accounting
-- Decimal numbers, because 0.1 * 30 is more than 3 in binary numbers.
WHERE rejected > CAST('0.5' AS DECIMAL(10, 9)) * rows_read
