/*
description: The model has rows for the execution date.
reads_files: true
*/
SELECT 'curated.vouchers' AS model, '2020-05-29T000000' AS execution_date, count(*) AS row_count
FROM curated.vouchers
HAVING count(*) = 0
