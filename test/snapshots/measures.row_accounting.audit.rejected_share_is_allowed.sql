/*
description: No larger share of the rows read is rejected than MAX_REJECTED_SHARE allows; exactly that share is allowed.
*/
SELECT
  rejected,
  rows_read,
  rejected / rows_read AS rejected_share,
  CAST('0.5' AS DOUBLE) AS allowed_share
FROM measures.row_accounting
-- Decimal numbers, because 0.1 * 30 is a little more than 3 in binary ones.
WHERE rejected > CAST('0.5' AS DECIMAL(10, 9)) * rows_read
