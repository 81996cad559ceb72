/*
description: For each kind of segment, the assignments of all amounts add up to the number of curated vouchers.
reads_files: true
*/
WITH counted AS (
  SELECT segment_kind, sum(assignments) AS assignments
  FROM {{ model.name | ref }}
  GROUP BY segment_kind
),

expected AS (
  SELECT segment_kind, vouchers
  FROM (VALUES ('frequent_segment'), ('recency_segment')) AS kinds(segment_kind)
  CROSS JOIN (SELECT count(*) AS vouchers FROM {{ "curated.vouchers" | ref }}) AS counted_vouchers
)

SELECT expected.segment_kind, counted.assignments, expected.vouchers
FROM expected
LEFT JOIN counted USING (segment_kind)
WHERE counted.assignments IS DISTINCT FROM expected.vouchers
ORDER BY ALL
