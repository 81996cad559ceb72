/*
description: The share of rejected rows is at most MAX_REJECTED_SHARE.
*/
SELECT
  rejected,
  rows_read,
  rejected / rows_read AS rejected_share,
  CAST({{ max_rejected_share }} AS DOUBLE) AS allowed_share
FROM {{ "measures.row_accounting" | ref }}
-- Decimal numbers, because 0.1 * 30 is more than 3 in binary numbers.
WHERE rejected > CAST({{ max_rejected_share }} AS DECIMAL(10, 9)) * rows_read
