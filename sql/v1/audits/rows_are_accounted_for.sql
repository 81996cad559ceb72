/*
description: "Every raw row is in exactly one table: rows read = rejected + out of scope + curated, and the written rows match."
reads_files: true
*/
WITH written AS (
  SELECT
    (SELECT count(*) FROM {{ "curated.vouchers_rejected" | ref }}) AS rejected_written,
    (SELECT count(*) FROM {{ "curated.vouchers" | ref }}) AS curated_written
)

SELECT rows_read, rejected, out_of_scope, curated, rejected_written, curated_written
FROM {{ "measures.row_accounting" | ref }}
CROSS JOIN written
WHERE rows_read <> rejected + out_of_scope + curated OR rejected <> rejected_written OR curated <> curated_written
