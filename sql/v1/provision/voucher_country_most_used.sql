/*
description: >
  The most used voucher amount in each country, over all segments. It is the fallback for segments with too few
  vouchers.
key: [country_code]
publish: true
audits:
  - most_used_is_recounted: { segment: country_code, total: country_assignments }
columns:
  country_code:        { type: VARCHAR, max_length: 64, description: Country of the customers }
  voucher_amount:      { type: INTEGER, description: "The most used voucher, in whole currency units" }
  assignments:         { type: BIGINT, description: Vouchers of this amount in this country }
  country_assignments: { type: BIGINT, description: All vouchers in this country }
  execution_date:      { type: VARCHAR, max_length: 17, description: "The partition: the execution date without colons" }
*/
WITH counted AS (
  SELECT country_code, voucher_amount, CAST(sum(assignments) AS BIGINT) AS assignments
  FROM {{ "provision.voucher_amount_usage" | ref }}
  -- Every voucher is in one segment of each kind, so one kind has them all.
  WHERE segment_kind = 'frequent_segment'
  GROUP BY country_code, voucher_amount
)

SELECT
  country_code,
  voucher_amount,
  assignments,
  CAST(sum(assignments) OVER (PARTITION BY country_code) AS BIGINT) AS country_assignments,
  {{ partition_key }} AS execution_date
FROM counted
-- As in the segments: of two amounts that are used equally often the smaller one wins.
QUALIFY row_number() OVER (PARTITION BY country_code ORDER BY assignments DESC, voucher_amount) = 1
ORDER BY country_code
