/*
description: No last order is later than the voucher of the customer.
severity: warn
# The data of 2018 has 8 % of such rows, because the feed also joins later orders.
threshold: { share: 0.1 }
*/
SELECT country_code, "timestamp", last_order_ts, total_orders, voucher_amount
FROM {{ model.name | ref }}
WHERE last_order_ts > "timestamp"
ORDER BY ALL
