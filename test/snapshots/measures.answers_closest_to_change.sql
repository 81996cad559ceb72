/*
description: The twenty answers that the fewest rejected rows could change.
columns:
  country_code:   { type: VARCHAR, description: Country of the customers }
  segment_kind:   { type: VARCHAR, description: frequent_segment or recency_segment }
  segment:        { type: VARCHAR, description: The segment within its kind }
  voucher_amount: { type: INTEGER, description: The answer }
  runner_up:      { type: INTEGER, description: The second most used amount; missing if there is none }
  margin:         { type: BIGINT, description: Vouchers of the answer minus vouchers of the runner-up }
  rejected:       { type: BIGINT, description: Rejected rows that may belong here and do not have the answer's amount }
*/
SELECT country_code, segment_kind, segment, voucher_amount, runner_up, margin, rejected
FROM measures.answer_margins
WHERE could_change AND voucher_amount IS NOT NULL
ORDER BY margin / rejected, country_code, segment_kind, segment_position(segment_kind, segment)
LIMIT 20
