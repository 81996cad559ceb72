/*
description: The number of rows is not below the parameter min, and not above the parameter max.
reads_files: true
*/
SELECT count(*) AS row_count
FROM {{ model.name | ref }}
HAVING count(*) < {{ min }} OR count(*) > {{ max }}
