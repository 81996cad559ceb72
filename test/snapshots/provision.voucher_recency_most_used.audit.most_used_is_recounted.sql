/*
description: >
  The most used amounts equal an independent recount of the curated vouchers: for each country and segment, the smallest
  amount that no other amount beats. The parameter segment is the column of the segment, or country_code for whole
  countries. The parameter total is the column of all assignments of the segment.
*/
WITH counted AS (
  SELECT country_code, recency_segment AS segment, voucher_amount, CAST(sum(vouchers) AS BIGINT) AS assignments
  FROM measures.voucher_counts
  GROUP BY ALL
),

most AS (
  SELECT country_code, segment, max(assignments) AS assignments, CAST(sum(assignments) AS BIGINT) AS segment_assignments
  FROM counted
  GROUP BY country_code, segment
),

recounted AS (
  SELECT country_code, segment, min(voucher_amount) AS voucher_amount, assignments, segment_assignments
  FROM counted
  JOIN most USING (country_code, segment, assignments)
  GROUP BY ALL
),

published AS (
  SELECT country_code, recency_segment AS segment, voucher_amount, assignments,
    segment_assignments AS segment_assignments
  FROM provision.voucher_recency_most_used
),

-- A row of the table counts 1, and a row of the recount -1, so rows that both have cancel out.
compared AS (
  SELECT 1 AS side, * FROM published
  UNION ALL
  SELECT -1 AS side, * FROM recounted
)

SELECT
  CASE WHEN sum(side) > 0 THEN 'only in the table' ELSE 'only in the recount' END AS found,
  country_code, segment, voucher_amount, assignments, segment_assignments
FROM compared
GROUP BY country_code, segment, voucher_amount, assignments, segment_assignments
HAVING sum(side) <> 0
ORDER BY ALL
