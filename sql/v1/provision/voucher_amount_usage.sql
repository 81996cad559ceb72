/*
description: >
  Number of assignments of each voucher amount in each country and segment, ranked. Every answer is the first rank of
  this table, so the rule of the most used amount is defined only here.
key: [country_code, segment_kind, segment, voucher_amount]
publish: true
audits:
  - usage_counts_every_voucher
columns:
  country_code:        { type: VARCHAR, max_length: 64, description: Country of the customers }
  segment_kind:        { type: VARCHAR, max_length: 64, description: frequent_segment or recency_segment }
  segment:             { type: VARCHAR, max_length: 64, description: The segment within its kind }
  voucher_amount:      { type: INTEGER, description: "The voucher, in whole currency units" }
  assignments:         { type: BIGINT, description: Vouchers of this amount in this country and segment }
  segment_assignments: { type: BIGINT, description: All vouchers in this country and segment }
  segment_share:       { type: DOUBLE, description: "assignments / segment_assignments, above 0 and up to 1" }
  amount_rank:         { type: INTEGER, description: 1 for the most used amount of the country and segment }
  execution_date:      { type: VARCHAR, max_length: 17, description: "The partition: the execution date without colons" }
*/
WITH counted AS (
  SELECT
    country_code,
    CASE WHEN grouping(frequent_segment) = 0 THEN 'frequent_segment' ELSE 'recency_segment' END AS segment_kind,
    CASE WHEN grouping(frequent_segment) = 0 THEN frequent_segment ELSE recency_segment END AS segment,
    voucher_amount,
    count(*) AS assignments
  FROM {{ "curated.vouchers" | ref }}
  GROUP BY GROUPING SETS (
    (country_code, frequent_segment, voucher_amount),
    (country_code, recency_segment, voucher_amount)
  )
),

ranked AS (
  SELECT
    *,
    segment_position(segment_kind, segment) AS segment_order,
    CAST(sum(assignments) OVER (PARTITION BY country_code, segment_kind, segment) AS BIGINT) AS segment_assignments,
    CAST(
      row_number() OVER (
        PARTITION BY country_code, segment_kind, segment
        -- Two amounts can be used equally often. The smaller one wins, so that every run gives the same answer.
        ORDER BY assignments DESC, voucher_amount
      ) AS INTEGER
    ) AS amount_rank
  FROM counted
)

SELECT
  country_code, segment_kind, segment, voucher_amount, assignments, segment_assignments,
  CAST(assignments AS DOUBLE) / segment_assignments AS segment_share,
  amount_rank,
  {{ partition_key }} AS execution_date
FROM ranked
ORDER BY country_code, segment_kind, segment_order, amount_rank
