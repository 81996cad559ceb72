/*
description: No key column is missing, and each row belongs to the execution date. Runs on every model that has a key.
*/
SELECT country_code, execution_date
FROM provision.voucher_country_most_used
WHERE
  execution_date IS DISTINCT FROM '2020-05-29T000000'
  OR country_code IS NULL
ORDER BY ALL
