/*
description: No text is longer than its column in the published table. Runs on every published model.
*/
SELECT *
FROM provision.voucher_answers
WHERE
  false
  OR length(country_code) > 64
  OR length(segment_kind) > 64
  OR length("segment") > 64
  OR length(certainty_word) > 64
  OR length(execution_date) > 17
ORDER BY ALL
