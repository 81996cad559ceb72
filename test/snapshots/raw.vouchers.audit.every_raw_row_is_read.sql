/*
description: As many rows were read as the raw files hold, by the footers of Parquet files and a count of the rows of CSV files.
reads_files: true
*/
WITH in_files AS (
  SELECT sum(num_rows) AS row_count
  FROM parquet_file_metadata(['data/raw/vouchers/it''s 1.parquet', 'data/raw/vouchers/2.parquet'])
  UNION ALL
  SELECT count(*) AS row_count
  FROM csv_rows(['data/raw/vouchers/3.csv'], { voucher_amount: 'VARCHAR', column_2: 'VARCHAR', "timestamp": 'VARCHAR', country_code: 'VARCHAR', last_order_ts: 'VARCHAR', first_order_ts: 'VARCHAR', total_orders: 'VARCHAR' }, 'none', 'source_file')
),

counted AS (
  SELECT
    (SELECT sum(row_count) FROM in_files) AS rows_in_files,
    (SELECT count(*) FROM raw.vouchers) AS rows_read
)

SELECT rows_in_files, rows_read
FROM counted
WHERE rows_in_files <> rows_read
