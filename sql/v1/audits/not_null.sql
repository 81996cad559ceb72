/*
description: A column has a value in every row. The parameter column names it.
*/
SELECT *
FROM {{ model.name | ref }}
WHERE {{ column | identifier }} IS NULL
ORDER BY ALL
