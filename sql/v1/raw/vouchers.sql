/*
description: >
  Every raw voucher as one relation: the values typed, and beside them the text they came as. A value that is missing or
  cannot be read is NULL. Identical rows are different vouchers: all of them count.
folder: vouchers
reads:
  timestamp: moment
  country_code: text
  last_order_ts: moment
  first_order_ts: moment
  total_orders: number
  voucher_amount: number
columns:
  timestamp:           { type: TIMESTAMP, description: "When the voucher was assigned, UTC" }
  country_code:        { type: VARCHAR, description: "Country of the customer, without blanks around it" }
  last_order_ts:       { type: TIMESTAMP, description: "The customer's last order, UTC" }
  first_order_ts:      { type: TIMESTAMP, description: "The customer's first order, UTC; may be missing" }
  total_orders:        { type: INTEGER, description: "The customer's number of orders" }
  voucher_amount:      { type: INTEGER, description: "The voucher, in whole currency units" }
  timestamp_text:      { type: VARCHAR, description: "timestamp as it came" }
  country_code_text:   { type: VARCHAR, description: "country_code as it came" }
  last_order_ts_text:  { type: VARCHAR, description: "last_order_ts as it came" }
  first_order_ts_text: { type: VARCHAR, description: "first_order_ts as it came" }
  total_orders_text:   { type: VARCHAR, description: "total_orders as it came" }
  voucher_amount_text: { type: VARCHAR, description: "voucher_amount as it came" }
  source_file:         { type: VARCHAR, description: "The file the row came from, relative to the raw zone" }
  is_rejected:         { type: BOOLEAN, description: "Whether a value that every voucher needs is missing or invalid" }
*/
WITH source AS (
  {%- for part in raw_parts %}
  SELECT
    moment({{ part.columns.timestamp | column }}) AS "timestamp",
    stripped(as_text({{ part.columns.country_code | column }})) AS stripped_country_code,
    moment({{ part.columns.last_order_ts | column }}) AS last_order_ts,
    moment({{ part.columns.first_order_ts | column }}) AS first_order_ts,
    integer_from(0, whole_number({{ part.columns.total_orders | column }})) AS total_orders,
    integer_from(1, whole_number({{ part.columns.voucher_amount | column }})) AS voucher_amount,
    as_text({{ part.columns.timestamp | column }}) AS timestamp_text,
    as_text({{ part.columns.country_code | column }}) AS country_code_text,
    as_text({{ part.columns.last_order_ts | column }}) AS last_order_ts_text,
    as_text({{ part.columns.first_order_ts | column }}) AS first_order_ts_text,
    as_text({{ part.columns.total_orders | column }}) AS total_orders_text,
    as_text({{ part.columns.voucher_amount | column }}) AS voucher_amount_text,
    substring("/source_file", length({{ raw_zone }}) + 2) AS source_file
  {%- if part.format == "parquet" %}
  FROM read_parquet(
    {{ part.files | list }},
    filename = '/source_file', binary_as_string = true, hive_partitioning = false
  )
  {%- else %}
  -- The sniffer is off: it would skip, quote or split rows anew where a file is at fault, and say nothing.
  FROM read_csv(
    {{ part.files | list }},
    columns = { {%- for name in part.header %}{{ name }}: 'VARCHAR'{% unless forloop.last %}, {% endunless %}{% endfor -%} },
    filename = '/source_file', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
    strict_mode = true, null_padding = false, ignore_errors = false, hive_partitioning = false
  )
  {%- endif %}
  {%- unless forloop.last %}
  UNION ALL
  {%- endunless %}
  {%- endfor %}
),

typed AS (
  SELECT
    * EXCLUDE (stripped_country_code),
    CASE WHEN length(stripped_country_code) BETWEEN 1 AND 64 THEN stripped_country_code END AS country_code
  FROM source
)

SELECT
  "timestamp", country_code, last_order_ts, first_order_ts, total_orders, voucher_amount,
  timestamp_text, country_code_text, last_order_ts_text, first_order_ts_text, total_orders_text, voucher_amount_text,
  source_file,
  "timestamp" IS NULL OR country_code IS NULL OR last_order_ts IS NULL OR total_orders IS NULL OR voucher_amount IS NULL
    AS is_rejected
FROM typed
