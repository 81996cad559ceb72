/*
description: >
  The newest moment of a column is not older than some days at the execution date. The parameters column and days name the
  column and the number of days. A model without rows is not fresh.
*/
SELECT max({{ column | identifier }}) AS newest
FROM {{ model.name | ref }}
HAVING coalesce(max({{ column | identifier }}) < TIMESTAMP {{ execution_date }} - INTERVAL {{ days }} DAY, true)
