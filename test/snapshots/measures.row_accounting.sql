/*
description: Numbers of raw rows by outcome, counted while reading. Audits compare them with the raw files and the written files.
audits:
  - rows_are_accounted_for
  - rejected_share_is_allowed
columns:
  rows_read:    { type: BIGINT, description: Rows of all raw files }
  rejected:     { type: BIGINT, description: Rows with a missing or invalid value }
  out_of_scope: { type: BIGINT, description: Rows later than the execution date }
  curated:      { type: BIGINT, description: Rows used for the answers }
*/
SELECT
  count(*) AS rows_read,
  count(*) FILTER (WHERE is_rejected) AS rejected,
  count(*) FILTER (WHERE NOT is_rejected AND NOT known_at(TIMESTAMP '2020-05-29 00:00:00', "timestamp", last_order_ts))
    AS out_of_scope,
  count(*) FILTER (WHERE NOT is_rejected AND known_at(TIMESTAMP '2020-05-29 00:00:00', "timestamp", last_order_ts)) AS curated
FROM raw.vouchers
