/*
description: What became of the raw rows. Each number is counted by itself, none is the rest of the others.
audits:
  - rows_are_accounted_for
  - rejected_share_is_allowed
columns:
  rows_read:    { type: BIGINT, description: Rows of all raw files }
  rejected:     { type: BIGINT, description: Rows in which a value is missing or invalid }
  out_of_scope: { type: BIGINT, description: Rows that were not known yet at the execution date }
  curated:      { type: BIGINT, description: Rows that the answers rest on }
*/
SELECT
  (SELECT count(*) FROM {{ "raw.vouchers" | ref }}) AS rows_read,
  (SELECT count(*) FROM {{ "curated.vouchers_rejected" | ref }}) AS rejected,
  (
    SELECT count(*)
    FROM {{ "raw.vouchers" | ref }}
    WHERE NOT is_rejected AND NOT known_at(TIMESTAMP {{ execution_date }}, "timestamp", last_order_ts)
  ) AS out_of_scope,
  (SELECT count(*) FROM {{ "curated.vouchers" | ref }}) AS curated
