/*
description: No key column is missing, and each row belongs to the execution date. Runs on every model that has a key.
*/
SELECT {{ model.key | identifiers }}, execution_date
FROM {{ model.name | ref }}
WHERE
  execution_date IS DISTINCT FROM {{ partition_key }}
  {%- for column in model.key %}
  OR {{ column | identifier }} IS NULL
  {%- endfor %}
ORDER BY ALL
