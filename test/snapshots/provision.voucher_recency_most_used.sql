/*
description: The most used voucher amount in each country and segment by days since the last order.
key: [country_code, recency_segment]
publish: true
audits:
  - most_used_is_recounted: { segment: recency_segment, total: segment_assignments }
columns:
  country_code:        { type: VARCHAR, max_length: 64, description: Country of the customers }
  recency_segment:     { type: VARCHAR, max_length: 64, description: The customers' segment by days since the last order }
  voucher_amount:      { type: INTEGER, description: "The most used voucher, in whole currency units" }
  assignments:         { type: BIGINT, publish: false, description: Vouchers of this amount in this country and segment }
  segment_assignments: { type: BIGINT, publish: false, description: All vouchers in this country and segment }
  execution_date:      { type: VARCHAR, max_length: 17, description: "The partition: the execution date without colons" }
*/
SELECT
  country_code,
  segment AS recency_segment,
  voucher_amount,
  assignments,
  segment_assignments,
  '2020-05-29T000000' AS execution_date
FROM provision.voucher_amount_usage
WHERE segment_kind = 'recency_segment' AND amount_rank = 1
ORDER BY country_code, segment_position('recency_segment', segment)
