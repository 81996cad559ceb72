/*
description: >
  Curated vouchers by country, segments and amount, counted in one scan. Audits recount the answers from these counts; the
  answers themselves do not use them.
recorded: false
columns:
  country_code:     { type: VARCHAR, description: Country of the customers }
  frequent_segment: { type: VARCHAR, description: The customers' segment by number of orders }
  recency_segment:  { type: VARCHAR, description: The customers' segment by days since the last order }
  voucher_amount:   { type: INTEGER, description: "The voucher, in whole currency units" }
  vouchers:         { type: BIGINT, description: Vouchers of this amount for customers in both segments }
*/
SELECT country_code, frequent_segment, recency_segment, voucher_amount, count(*) AS vouchers
FROM {{ "curated.vouchers" | ref }}
GROUP BY country_code, frequent_segment, recency_segment, voucher_amount
