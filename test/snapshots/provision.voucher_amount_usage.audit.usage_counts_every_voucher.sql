/*
description: In each kind of segment, the assignments of all amounts together are all curated vouchers.
*/
WITH counted AS (
  SELECT segment_kind, sum(assignments) AS assignments
  FROM provision.voucher_amount_usage
  GROUP BY segment_kind
),

expected AS (
  SELECT unnest(['frequent_segment', 'recency_segment']) AS segment_kind, count(*) AS vouchers
  FROM curated.vouchers
)

SELECT expected.segment_kind, counted.assignments, expected.vouchers
FROM expected
LEFT JOIN counted USING (segment_kind)
WHERE counted.assignments IS DISTINCT FROM expected.vouchers
ORDER BY ALL
