/*
description: "Every raw row is in exactly one place: rows read = rejected + out of scope + curated."
*/
SELECT *
FROM {{ "measures.row_accounting" | ref }}
WHERE rows_read <> rejected + out_of_scope + curated
