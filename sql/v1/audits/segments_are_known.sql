/*
description: Every voucher has one known segment of each kind.
*/
SELECT frequent_segment, recency_segment, count(*) AS row_count
FROM {{ model.name | ref }}
WHERE
  segment_position('frequent_segment', frequent_segment) IS NULL
  OR segment_position('recency_segment', recency_segment) IS NULL
GROUP BY frequent_segment, recency_segment
ORDER BY ALL
