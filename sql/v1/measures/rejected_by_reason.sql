/*
description: Rejected rows by reason. A row with two reasons counts twice.
columns:
  reject_reason: { type: VARCHAR, description: Reason of the rejection }
  rejected:      { type: BIGINT, description: Rows rejected for this reason }
*/
SELECT reject_reason, count(*) AS rejected
FROM (SELECT explode(reject_reasons) AS reject_reason FROM {{ "curated.vouchers_rejected" | ref }})
GROUP BY reject_reason
ORDER BY rejected DESC, reject_reason
