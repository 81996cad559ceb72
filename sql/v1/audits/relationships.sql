/*
description: >
  Every value of a column is in a column of another model. The parameters column, to and field name the column, the other
  model and its column. A missing value passes: not_null finds it.
*/
SELECT {{ column | identifier }}, count(*) AS row_count
FROM {{ model.name | ref }}
WHERE
  {{ column | identifier }} IS NOT NULL
  AND {{ column | identifier }} NOT IN (
    SELECT {{ field | identifier }}
    FROM {{ to | ref }}
    WHERE {{ field | identifier }} IS NOT NULL
  )
GROUP BY {{ column | identifier }}
ORDER BY ALL
