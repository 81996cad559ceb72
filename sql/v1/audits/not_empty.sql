/*
description: The model has rows for the execution date.
reads_files: true
*/
SELECT {{ model.name }} AS model, {{ partition_key }} AS execution_date, count(*) AS row_count
FROM {{ model.name | ref }}
HAVING count(*) = 0
