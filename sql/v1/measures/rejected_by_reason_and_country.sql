/*
description: >
  Rejected rows by reason and country: the twenty largest groups and the largest group of each reason, each with one
  example. A row with two reasons counts twice.
columns:
  reject_reason: { type: VARCHAR, description: Reason of the rejection }
  country_code:  { type: VARCHAR, description: Country of the rows; missing if unreadable }
  rejected:      { type: BIGINT, description: Rejected rows of the country with this reason }
  example:       { type: VARCHAR, description: "The invalid value of one row as delivered, up to 80 characters" }
  source_file:   { type: VARCHAR, description: "The file of that row, relative to the raw zone" }
*/
WITH reasons AS (
  SELECT explode(reject_reasons) AS reject_reason, *
  FROM {{ "curated.vouchers_rejected" | ref }}
),

faults AS (
  SELECT
    reject_reason,
    country_from(stripped(country_code)) AS country_code,
    CASE
      WHEN reject_reason LIKE 'timestamp_%' THEN "timestamp"
      WHEN reject_reason LIKE 'country_code_%' THEN country_code
      WHEN reject_reason LIKE 'last_order_ts_%' THEN last_order_ts
      WHEN reject_reason LIKE 'total_orders_%' THEN total_orders
      WHEN reject_reason LIKE 'voucher_amount_%' THEN voucher_amount
    END AS fault,
    source_file
  FROM reasons
),

grouped AS (
  SELECT
    reject_reason,
    country_code,
    count(*) AS rejected,
    -- The smallest value, so that every run shows the same example.
    min(example_of(fault, source_file)) AS example
  FROM faults
  GROUP BY reject_reason, country_code
),

-- There can be as many groups as rejected rows, so each reason keeps only a few before the overall ranking.
ranked_in_reason AS (
  SELECT *, row_number() OVER (PARTITION BY reject_reason ORDER BY rejected DESC, country_code NULLS LAST) AS reason_rank
  FROM grouped
),

ranked AS (
  SELECT *, row_number() OVER (ORDER BY rejected DESC, reject_reason, country_code NULLS LAST) AS overall_rank
  FROM ranked_in_reason
  WHERE reason_rank <= 20
)

SELECT reject_reason, country_code, rejected, example.fault AS example, example.source_file AS source_file
FROM ranked
-- A rare reason also needs an example.
WHERE overall_rank <= 20 OR reason_rank = 1
ORDER BY overall_rank
