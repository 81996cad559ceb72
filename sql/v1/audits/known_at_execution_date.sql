/*
description: No voucher or last order is later than the execution date, and no required value is missing.
*/
SELECT "timestamp", country_code, last_order_ts, total_orders, voucher_amount
FROM {{ model.name | ref }}
WHERE
  NOT coalesce(known_at(TIMESTAMP {{ execution_date }}, "timestamp", last_order_ts), false)
  OR country_code IS NULL
  OR total_orders IS NULL
  OR voucher_amount IS NULL
ORDER BY ALL
