/*
description: >
  All raw vouchers with typed values. A rejected row also has its original texts. A missing or unreadable value is NULL.
  Identical rows are different vouchers and all count.
folder: vouchers
audits:
  - every_raw_row_is_read
reads:
  timestamp: moment
  country_code: text
  last_order_ts: moment
  first_order_ts: moment
  total_orders: number
  voucher_amount: number
columns:
  timestamp:           { type: TIMESTAMP, description: "When the voucher was assigned, UTC" }
  country_code:        { type: VARCHAR, description: "Country of the customer, without surrounding spaces" }
  last_order_ts:       { type: TIMESTAMP, description: "The customer's last order, UTC" }
  first_order_ts:      { type: TIMESTAMP, description: "The customer's first order, UTC; may be missing" }
  total_orders:        { type: INTEGER, description: "The customer's number of orders" }
  voucher_amount:      { type: INTEGER, description: "The voucher, in whole currency units" }
  timestamp_text:      { type: VARCHAR, description: "timestamp as delivered, for a rejected row" }
  country_code_text:   { type: VARCHAR, description: "country_code as delivered, for a rejected row" }
  last_order_ts_text:  { type: VARCHAR, description: "last_order_ts as delivered, for a rejected row" }
  first_order_ts_text: { type: VARCHAR, description: "first_order_ts as delivered, for a rejected row" }
  total_orders_text:   { type: VARCHAR, description: "total_orders as delivered, for a rejected row" }
  voucher_amount_text: { type: VARCHAR, description: "voucher_amount as delivered, for a rejected row" }
  source_file:         { type: VARCHAR, description: "The file of a rejected row, relative to the raw zone" }
  is_rejected:         { type: BOOLEAN, description: "Whether a required value is missing or invalid" }
*/
-- Each step computes a value once that the next step uses twice. Only rejected rows get texts, because texts cost more than reading.
(
  WITH read_values AS (
    SELECT
      "timestamp" AS raw_timestamp,
      "country_code" AS raw_country_code,
      "last_order_ts" AS raw_last_order_ts,
      CAST("first_order_ts" AS VARCHAR) AS raw_first_order_ts,
      "total_orders" AS raw_total_orders,
      CAST("voucher_amount" AS DOUBLE) AS raw_voucher_amount,
      source_file AS raw_file
    FROM parquet_rows(['data/raw/vouchers/it''s 1.parquet', 'data/raw/vouchers/2.parquet'], 'source_file')
  ),

  parsed AS (
    SELECT
      *,
      moment(raw_timestamp) AS "timestamp",
      stripped(as_text(raw_country_code)) AS country,
      moment(raw_last_order_ts) AS last_order_ts,
      moment(raw_first_order_ts) AS first_order_ts,
      whole_number(raw_total_orders) AS orders,
      whole_number(raw_voucher_amount) AS amount
    FROM read_values
  ),

  typed AS (
    SELECT
      *,
      country_from(country) AS country_code,
      integer_from(0, orders) AS total_orders,
      integer_from(1, amount) AS voucher_amount
    FROM parsed
  ),

  checked AS (
    SELECT
      *,
      "timestamp" IS NULL OR country_code IS NULL OR last_order_ts IS NULL OR total_orders IS NULL OR voucher_amount IS NULL
        AS is_rejected
    FROM typed
  )

  SELECT
    "timestamp", country_code, last_order_ts, first_order_ts, total_orders, voucher_amount,
    CASE WHEN is_rejected THEN as_text(raw_timestamp) END AS timestamp_text,
    CASE WHEN is_rejected THEN as_text(raw_country_code) END AS country_code_text,
    CASE WHEN is_rejected THEN as_text(raw_last_order_ts) END AS last_order_ts_text,
    CASE WHEN is_rejected THEN as_text(raw_first_order_ts) END AS first_order_ts_text,
    CASE WHEN is_rejected THEN as_text(raw_total_orders) END AS total_orders_text,
    CASE WHEN is_rejected THEN as_text(raw_voucher_amount) END AS voucher_amount_text,
    CASE WHEN is_rejected THEN substring(raw_file, length('data/raw') + 2) END AS source_file,
    is_rejected
  FROM checked
)
UNION ALL
(
  WITH read_values AS (
    SELECT
      "timestamp" AS raw_timestamp,
      "country_code" AS raw_country_code,
      "last_order_ts" AS raw_last_order_ts,
      "first_order_ts" AS raw_first_order_ts,
      "total_orders" AS raw_total_orders,
      "voucher_amount" AS raw_voucher_amount,
      source_file AS raw_file
    FROM csv_rows(['data/raw/vouchers/3.csv'], { voucher_amount: 'VARCHAR', column_2: 'VARCHAR', "timestamp": 'VARCHAR', country_code: 'VARCHAR', last_order_ts: 'VARCHAR', first_order_ts: 'VARCHAR', total_orders: 'VARCHAR' }, 'none', 'source_file')
  ),

  parsed AS (
    SELECT
      *,
      moment(raw_timestamp) AS "timestamp",
      stripped(as_text(raw_country_code)) AS country,
      moment(raw_last_order_ts) AS last_order_ts,
      moment(raw_first_order_ts) AS first_order_ts,
      whole_number(raw_total_orders) AS orders,
      whole_number(raw_voucher_amount) AS amount
    FROM read_values
  ),

  typed AS (
    SELECT
      *,
      country_from(country) AS country_code,
      integer_from(0, orders) AS total_orders,
      integer_from(1, amount) AS voucher_amount
    FROM parsed
  ),

  checked AS (
    SELECT
      *,
      "timestamp" IS NULL OR country_code IS NULL OR last_order_ts IS NULL OR total_orders IS NULL OR voucher_amount IS NULL
        AS is_rejected
    FROM typed
  )

  SELECT
    "timestamp", country_code, last_order_ts, first_order_ts, total_orders, voucher_amount,
    CASE WHEN is_rejected THEN as_text(raw_timestamp) END AS timestamp_text,
    CASE WHEN is_rejected THEN as_text(raw_country_code) END AS country_code_text,
    CASE WHEN is_rejected THEN as_text(raw_last_order_ts) END AS last_order_ts_text,
    CASE WHEN is_rejected THEN as_text(raw_first_order_ts) END AS first_order_ts_text,
    CASE WHEN is_rejected THEN as_text(raw_total_orders) END AS total_orders_text,
    CASE WHEN is_rejected THEN as_text(raw_voucher_amount) END AS voucher_amount_text,
    CASE WHEN is_rejected THEN substring(raw_file, length('data/raw') + 2) END AS source_file,
    is_rejected
  FROM checked
)
