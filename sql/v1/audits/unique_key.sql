/*
description: No two rows of a model have the same key. Runs on every model that has a key.
*/
SELECT {{ model.key | identifiers }}, count(*) AS row_count
FROM {{ model.name | ref }}
GROUP BY {{ model.key | identifiers }}
HAVING count(*) > 1
ORDER BY {{ model.key | identifiers }}
