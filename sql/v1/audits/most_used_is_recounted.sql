/*
description: >
  The most used amounts equal an independent recount of the curated vouchers: for each country and segment, the smallest
  amount that no other amount beats. The parameter segment is the column of the segment, or country_code for whole
  countries. The parameter total is the column of all assignments of the segment.
*/
WITH counted AS (
  SELECT country_code, {{ segment | identifier }} AS segment, voucher_amount, CAST(sum(vouchers) AS BIGINT) AS assignments
  FROM {{ "measures.voucher_counts" | ref }}
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
  SELECT country_code, {{ segment | identifier }} AS segment, voucher_amount, assignments,
    {{ total | identifier }} AS segment_assignments
  FROM {{ model.name | ref }}
)

SELECT 'only in the table' AS found, * FROM (SELECT * FROM published EXCEPT ALL SELECT * FROM recounted)
UNION ALL
SELECT 'only in the recount' AS found, * FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM published)
ORDER BY ALL
