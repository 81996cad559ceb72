/*
description: No text is longer than its column in the published table. Runs on every published model.
*/
SELECT *
FROM {{ model.name | ref }}
WHERE
  false
  {%- for column in model.texts %}
  OR length({{ column.name | identifier }}) > {{ column.max_length }}
  {%- endfor %}
ORDER BY ALL
