/*
description: >
  Whether rejected rows could have changed answers: of how many the margin is so small that the rejected rows that might have
  belonged there could have turned it, and how many countries and segments have no answer that could have had one.
columns:
  segment_kind:     { type: VARCHAR, description: frequent_segment or recency_segment }
  answers:          { type: BIGINT, description: Countries and segments with an answer }
  could_change:     { type: BIGINT, description: Answers that the rejected rows could have changed }
  possible_answers: { type: BIGINT, description: Countries and segments without an answer that the rejected rows could have given }
*/
SELECT
  segment_kind,
  count(voucher_amount) AS answers,
  count(*) FILTER (WHERE could_change AND voucher_amount IS NOT NULL) AS could_change,
  count(*) FILTER (WHERE voucher_amount IS NULL) AS possible_answers
FROM measures.answer_margins
GROUP BY segment_kind
ORDER BY segment_kind
