/*
description: The rejected rows by reason. A row with two reasons counts under both.
columns:
  reject_reason: { type: VARCHAR, description: Why the rows were rejected }
  rejected:      { type: BIGINT, description: Rows rejected for this reason }
*/
SELECT reject_reason, count(*) AS rejected
FROM (SELECT explode(reject_reasons) AS reject_reason FROM {{ "curated.vouchers_rejected" | ref }})
GROUP BY reject_reason
ORDER BY rejected DESC, reject_reason
