/*
description: No two rows of a model have the same key. Runs on every model that has a key.
*/
SELECT country_code, segment_kind, "segment", count(*) AS row_count
FROM provision.voucher_answers
GROUP BY country_code, segment_kind, "segment"
HAVING count(*) > 1
ORDER BY country_code, segment_kind, "segment"
