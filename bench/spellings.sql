-- The spellings that raw files come in: each macro reads a Parquet file of the project's sample, and gives its rows as that feed
-- would write them. Countries and numbers stay as they are, except in `typed`.
CREATE MACRO sample(file) AS TABLE
  SELECT
    file_row_number AS n, country_code, total_orders, voucher_amount,
    CAST("timestamp" AS TIMESTAMP) AS assigned, CAST(last_order_ts AS TIMESTAMP) AS last_order,
    CAST(first_order_ts AS TIMESTAMP) AS first_order
  FROM read_parquet(file, file_row_number = true);

-- The sample knows no fractions of a second. These differ in every row and column, and are the same at every run.
CREATE MACRO with_fraction(moment, n, seed) AS moment + to_microseconds(CAST(hash(n, seed) % 1000000 AS BIGINT));

-- A feed from several time zones: an offset for each row.
CREATE MACRO with_some_offset(moment, n) AS
  CASE hash(n) % 4
    WHEN 0 THEN strftime(moment, '%Y-%m-%d %H:%M:%S+00:00')
    WHEN 1 THEN strftime(moment + INTERVAL 2 HOUR, '%Y-%m-%d %H:%M:%S+02:00')
    WHEN 2 THEN strftime(moment - INTERVAL 5 HOUR, '%Y-%m-%dT%H:%M:%S.%f-05:00')
    ELSE strftime(moment, '%Y-%m-%dT%H:%M:%SZ')
  END;

-- As the sample has it: 2020-05-26 15:33:56+00:00
CREATE MACRO spelled_seconds(file) AS TABLE FROM read_parquet(file);

-- As the original feed had it: 2020-05-26 15:33:56.361451+00:00
CREATE MACRO spelled_feed(file) AS TABLE
  SELECT
    strftime(with_fraction(assigned, n, 1), '%Y-%m-%d %H:%M:%S.%f+00:00') AS "timestamp", country_code,
    strftime(with_fraction(last_order, n, 2), '%Y-%m-%d %H:%M:%S.%f+00:00') AS last_order_ts,
    strftime(with_fraction(first_order, n, 3), '%Y-%m-%d %H:%M:%S.%f+00:00') AS first_order_ts, total_orders, voucher_amount
  FROM sample(file);

CREATE MACRO spelled_csv(file) AS TABLE FROM spelled_feed(file);

-- 2020-05-26T15:33:56Z
CREATE MACRO spelled_z(file) AS TABLE
  SELECT
    strftime(assigned, '%Y-%m-%dT%H:%M:%SZ') AS "timestamp", country_code,
    strftime(last_order, '%Y-%m-%dT%H:%M:%SZ') AS last_order_ts,
    strftime(first_order, '%Y-%m-%dT%H:%M:%SZ') AS first_order_ts, total_orders, voucher_amount
  FROM sample(file);

-- 2020-05-26
CREATE MACRO spelled_dates(file) AS TABLE
  SELECT
    strftime(assigned, '%Y-%m-%d') AS "timestamp", country_code, strftime(last_order, '%Y-%m-%d') AS last_order_ts,
    strftime(first_order, '%Y-%m-%d') AS first_order_ts, total_orders, voucher_amount
  FROM sample(file);

-- 2020-05-26T10:33:56.361451-05:00, 2020-05-26 17:33:56+02:00, …
CREATE MACRO spelled_mixed(file) AS TABLE
  SELECT
    with_some_offset(with_fraction(assigned, n, 1), n) AS "timestamp", country_code,
    with_some_offset(with_fraction(last_order, n, 2), n) AS last_order_ts,
    with_some_offset(with_fraction(first_order, n, 3), n) AS first_order_ts, total_orders, voucher_amount
  FROM sample(file);

-- Columns of moments and of whole numbers: nothing to read from texts.
CREATE MACRO spelled_typed(file) AS TABLE
  SELECT
    with_fraction(assigned, n, 1) AS "timestamp", country_code, with_fraction(last_order, n, 2) AS last_order_ts,
    with_fraction(first_order, n, 3) AS first_order_ts, TRY_CAST(total_orders AS INTEGER) AS total_orders,
    TRY_CAST(voucher_amount AS INTEGER) AS voucher_amount
  FROM sample(file);
