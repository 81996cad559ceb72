/*
description: No text is longer than its column in the published table. Runs on every published model.
*/
SELECT *
FROM provision.voucher_frequent_most_used
WHERE
  false
  OR length(country_code) > 64
  OR length(frequent_segment) > 64
  OR length(execution_date) > 17
ORDER BY ALL
