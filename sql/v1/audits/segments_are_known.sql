/*
description: Every voucher has one known segment of each kind.
*/
SELECT country_code, total_orders, frequent_segment, days_since_last_order, recency_segment
FROM {{ model.name | ref }}
WHERE
  segment_position('frequent_segment', frequent_segment) IS NULL
  OR segment_position('recency_segment', recency_segment) IS NULL
ORDER BY ALL
