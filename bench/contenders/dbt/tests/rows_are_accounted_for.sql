SELECT *
FROM (
  SELECT
    (SELECT count(*) FROM {{ ref("typed") }}) AS rows_read,
    (SELECT count(*) FROM {{ ref("vouchers_rejected") }}) AS rejected,
    (SELECT count(*) FROM {{ ref("vouchers") }}) AS curated,
    (
      SELECT count(*) FROM {{ ref("typed") }}
      WHERE
        NOT rejected
        AND NOT (ts <= TIMESTAMP '{{ var("execution_date") }}' AND last_order <= TIMESTAMP '{{ var("execution_date") }}')
    ) AS out_of_scope
)
WHERE rows_read <> rejected + curated + out_of_scope
