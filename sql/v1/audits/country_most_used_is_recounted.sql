/*
description: >
  The most used amount of each country is the one that a recount of the curated vouchers gives, in another way than the model
  counts: the smallest amount that no other amount beats.
*/
WITH counted AS (
  SELECT country_code, voucher_amount, count(*) AS assignments
  FROM {{ "curated.vouchers" | ref }}
  GROUP BY ALL
),

most AS (
  SELECT country_code, max(assignments) AS assignments, CAST(sum(assignments) AS BIGINT) AS country_assignments
  FROM counted
  GROUP BY country_code
),

recounted AS (
  SELECT country_code, min(voucher_amount) AS voucher_amount, assignments, country_assignments
  FROM counted
  JOIN most USING (country_code, assignments)
  GROUP BY ALL
),

published AS (
  SELECT country_code, voucher_amount, assignments, country_assignments
  FROM {{ model.name | ref }}
)

SELECT 'only in the table' AS found, * FROM (SELECT * FROM published EXCEPT ALL SELECT * FROM recounted)
UNION ALL
SELECT 'only in the recount' AS found, * FROM (SELECT * FROM recounted EXCEPT ALL SELECT * FROM published)
ORDER BY ALL
