/*
description: No customer's last order is later than the voucher that was to win the customer back.
severity: warn
# The history of 2018 has 8 % of such rows: the feed joins orders that came after the voucher. More would be news.
threshold: { share: 0.1 }
*/
SELECT country_code, "timestamp", last_order_ts, total_orders, voucher_amount
FROM curated.vouchers
WHERE last_order_ts > "timestamp"
ORDER BY ALL
