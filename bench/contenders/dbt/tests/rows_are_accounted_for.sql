SELECT *
FROM (
  SELECT
    (SELECT count(*) FROM {{ ref("typed") }}) AS rows_read,
    (SELECT count(*) FROM {{ ref("vouchers_rejected") }}) AS rejected,
    (SELECT count(*) FROM {{ ref("vouchers") }}) AS curated,
    (
      SELECT count(*) FROM {{ ref("typed") }}
      WHERE
        ts IS NOT NULL AND country IS NOT NULL AND last_order IS NOT NULL AND orders IS NOT NULL AND amount IS NOT NULL
        AND NOT (ts <= TIMESTAMP '{{ var("execution_date") }}' AND last_order <= TIMESTAMP '{{ var("execution_date") }}')
    ) AS out_of_scope
)
WHERE rows_read <> rejected + curated + out_of_scope
