/*
description: >
  The number of answers that rejected rows could change, and the number of missing answers that rejected rows could give.
columns:
  segment_kind:     { type: VARCHAR, description: frequent_segment or recency_segment }
  answers:          { type: BIGINT, description: Countries and segments with an answer }
  could_change:     { type: BIGINT, description: Answers that rejected rows could change }
  possible_answers: { type: BIGINT, description: Countries and segments without an answer that rejected rows could give }
*/
SELECT
  segment_kind,
  count(voucher_amount) AS answers,
  count(*) FILTER (WHERE could_change AND voucher_amount IS NOT NULL) AS could_change,
  count(*) FILTER (WHERE voucher_amount IS NULL) AS possible_answers
FROM {{ "measures.answer_margins" | ref }}
GROUP BY segment_kind
ORDER BY segment_kind
