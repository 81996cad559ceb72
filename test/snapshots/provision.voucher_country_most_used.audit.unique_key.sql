/*
description: No two rows of a model have the same key. Runs on every model that has a key.
*/
SELECT country_code, count(*) AS row_count
FROM provision.voucher_country_most_used
GROUP BY country_code
HAVING count(*) > 1
ORDER BY country_code
