/*
description: >
  The rejected rows by reason and country: the twenty largest groups, and the largest of each reason, each with the value of
  one of its rows. A row with two reasons counts under both.
columns:
  reject_reason: { type: VARCHAR, description: Why the rows were rejected }
  country_code:  { type: VARCHAR, description: Country of the rows; missing where it cannot be read }
  rejected:      { type: BIGINT, description: Rows of the country that were rejected for this reason }
  example:       { type: VARCHAR, description: "The value at fault of one of the rows, as it came, up to 80 characters" }
  source_file:   { type: VARCHAR, description: "The file of that row, relative to the raw zone" }
*/
WITH reasons AS (
  SELECT explode(reject_reasons) AS reject_reason, *
  FROM curated.vouchers_rejected
),

faults AS (
  SELECT
    reject_reason,
    country_from(stripped(country_code)) AS country_code,
    CASE regexp_replace(reject_reason, '_(missing|invalid)$', '')
      WHEN 'timestamp' THEN "timestamp"
      WHEN 'country_code' THEN country_code
      WHEN 'last_order_ts' THEN last_order_ts
      WHEN 'total_orders' THEN total_orders
      WHEN 'voucher_amount' THEN voucher_amount
    END AS fault,
    source_file
  FROM reasons
),

grouped AS (
  SELECT
    reject_reason,
    country_code,
    count(*) AS rejected,
    -- The least of them, so that every run shows the same one.
    min(example_of(fault, source_file)) AS example
  FROM faults
  GROUP BY reject_reason, country_code
),

-- There can be as many groups as rejected rows: few of each reason are left before they are ranked among each other.
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
-- A reason that few rows have still needs an example.
WHERE overall_rank <= 20 OR reason_rank = 1
ORDER BY overall_rank
