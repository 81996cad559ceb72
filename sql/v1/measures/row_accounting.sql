/*
description: What became of the raw rows, counted as they were read. Audits hold it against the raw files and the files that were written.
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
  count(*) AS rows_read,
  count(*) FILTER (WHERE is_rejected) AS rejected,
  count(*) FILTER (WHERE NOT is_rejected AND NOT known_at(TIMESTAMP {{ execution_date }}, "timestamp", last_order_ts))
    AS out_of_scope,
  count(*) FILTER (WHERE NOT is_rejected AND known_at(TIMESTAMP {{ execution_date }}, "timestamp", last_order_ts)) AS curated
FROM {{ "raw.vouchers" | ref }}
