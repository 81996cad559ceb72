/*
description: >
  A column has only some values. The parameter column names it, and the parameter values lists them. A missing value
  passes: not_null finds it.
*/
SELECT {{ column | identifier }}, count(*) AS row_count
FROM {{ model.name | ref }}
WHERE {{ column | identifier }} NOT IN (
  {%- for value in values %}{{ value }}{% unless forloop.last %}, {% endunless %}{% endfor -%}
)
GROUP BY {{ column | identifier }}
ORDER BY ALL
