/*
description: >
  The answer for each country and segment, with its counts and its certainty. The certainty is the chance that the same
  amount wins again with as many similar customers. See docs/certainty.md.
key: [country_code, segment_kind, segment]
publish: true
audits:
  - certainty_is_a_chance:
      description: Every certainty is a chance from 0 to 1.
      select: SELECT * FROM {{ model.name | ref }} WHERE NOT coalesce(certainty >= 0 AND certainty <= 1, false)
columns:
  country_code:          { type: VARCHAR, max_length: 64, description: Country of the customers }
  segment_kind:          { type: VARCHAR, max_length: 64, description: frequent_segment or recency_segment }
  segment:               { type: VARCHAR, max_length: 64, description: The segment within its kind }
  voucher_amount:        { type: INTEGER, description: "The most used voucher, in whole currency units" }
  assignments:           { type: BIGINT, description: Vouchers of this amount in this country and segment }
  segment_assignments:   { type: BIGINT, description: All vouchers in this country and segment }
  runner_up:             { type: INTEGER, description: "The second most used amount; missing if there is none" }
  runner_up_assignments: { type: BIGINT, description: Vouchers of the runner-up }
  certainty:             { type: DOUBLE, description: "Chance that the amount wins again, from 0 to 1, to three digits" }
  certainty_word:        { type: VARCHAR, max_length: 64, description: "The certainty in words: sure, likely or toss-up" }
  execution_date:        { type: VARCHAR, max_length: 17, description: "The partition: the execution date without colons" }
*/
WITH answers AS (
  SELECT country_code, segment_kind, segment, voucher_amount, assignments, segment_assignments
  FROM provision.voucher_amount_usage
  WHERE amount_rank = 1
),

-- A rival counts as negative if it is the smaller amount: it wins if both are used equally often. From 30 vouchers on, a rival that
-- is six standard deviations behind is none.
compared AS (
  SELECT
    answers.country_code, answers.segment_kind, answers.segment,
    answers.voucher_amount, answers.assignments, answers.segment_assignments,
    max(used.voucher_amount) FILTER (WHERE used.amount_rank = 2) AS runner_up,
    max(used.assignments) FILTER (WHERE used.amount_rank = 2) AS runner_up_assignments,
    array_sort(
      array_agg(CASE WHEN used.voucher_amount < answers.voucher_amount THEN -used.assignments ELSE used.assignments END)
        FILTER (
          WHERE used.amount_rank > 1
          AND (
            used.segment_assignments < 30
            OR power(answers.assignments - used.assignments, 2) < 36 * (answers.assignments + used.assignments)
          )
        )
    ) AS rivals
  FROM answers
  JOIN provision.voucher_amount_usage AS used USING (country_code, segment_kind, segment)
  GROUP BY ALL
),

-- Many countries share the same counts.
chances AS (
  SELECT assignments, segment_assignments, rivals, chance_to_win_again(assignments, segment_assignments, rivals) AS certainty
  FROM (SELECT DISTINCT assignments, segment_assignments, rivals FROM compared)
)

SELECT
  country_code, segment_kind, segment, voucher_amount, compared.assignments, compared.segment_assignments,
  runner_up, runner_up_assignments, certainty, certainty_word(certainty) AS certainty_word,
  '2020-05-29T000000' AS execution_date
FROM compared
JOIN chances
  ON chances.assignments = compared.assignments
  AND chances.segment_assignments = compared.segment_assignments
  AND chances.rivals IS NOT DISTINCT FROM compared.rivals
ORDER BY country_code, segment_kind, segment_position(segment_kind, segment)
