/*
description: >
  Sample raw vouchers with the shape and the faults of the real feed. Each row depends only on its number, so every call
  gives the same rows. The variables first_row and last_row count from 1. The variable countries is the number of countries:
  the four of the real feed, and others named by their number, all with an equal share of the rows.
*/
WITH numbered AS (
  -- One row in a thousand repeats the previous row, because identical rows are different vouchers.
  SELECT row_number, CASE WHEN row_number % 1000 = 0 THEN row_number - 1 ELSE row_number END AS seed
  FROM range({{ first_row }}, {{ last_row }} + 1) AS numbers(row_number)
),

thrown AS (
  SELECT
    row_number,
    -- The numbers 1 to 4 stand for the four countries of the feed; country_die chooses one of them.
    1 + hash(seed, 'country number') % {{ countries }} AS country_number,
    hash(seed, 'country') % 100 AS country_die,
    hash(seed, 'amount') % 100 AS amount_die,
    -- A product of two dice: many small numbers and few large ones, as a growing business has them.
    (hash(seed, 'age') % 34) * (hash(seed, 'age again') % 34) AS age_days,
    hash(seed, 'second') % 86_400 AS age_seconds,
    (hash(seed, 'pause') % 16) * (hash(seed, 'pause again') % 16) AS pause_days,
    hash(seed, 'membership') % 1_400 AS membership_days,
    hash(seed, 'loyalty') % 100 AS loyalty_die,
    hash(seed, 'orders') % 1_000 AS orders_die,
    hash(seed, 'fault') % 1_000 AS fault_die
  FROM numbered
),

dated AS (
  SELECT
    *,
    TIMESTAMP '2020-05-28 23:59:59' - to_days(CAST(age_days AS INTEGER)) - to_seconds(CAST(age_seconds AS BIGINT))
      AS assigned,
    assigned - to_days(CAST(pause_days AS INTEGER)) - to_hours(7) AS last_order,
    last_order - to_days(CAST(membership_days AS INTEGER)) AS first_order
  FROM thrown
)

SELECT
  strftime(assigned, '%Y-%m-%d %H:%M:%S') || '+00:00' AS "timestamp",
  CASE
    WHEN country_number > 4 THEN 'Country ' || country_number
    WHEN country_die < 33 THEN 'China'
    WHEN country_die < 59 THEN 'Australia'
    WHEN country_die < 80 THEN 'Peru'
    ELSE 'Latvia'
  END AS country_code,
  strftime(last_order, '%Y-%m-%d %H:%M:%S') || '+00:00' AS last_order_ts,
  strftime(first_order, '%Y-%m-%d %H:%M:%S') || '+00:00' AS first_order_ts,
  CASE
    WHEN fault_die < 80 THEN ''
    ELSE
      CASE
        WHEN loyalty_die < 35 THEN orders_die % 5
        WHEN loyalty_die < 60 THEN 5 + orders_die % 9
        WHEN loyalty_die < 85 THEN 14 + orders_die % 24
        ELSE 38 + orders_die % 400
      END || '.0'
  END AS total_orders,
  CAST(
    CASE
      WHEN fault_die BETWEEN 50 AND 107 THEN NULL
      WHEN country_number > 4 THEN
        -- Other amounts than the countries with the next numbers.
        110 * (4 + country_number % 89)
        * CASE
          WHEN amount_die < 45 THEN 2
          WHEN amount_die < 75 THEN 5
          WHEN amount_die < 92 THEN 3
          ELSE 1
        END
      WHEN country_die < 33 THEN
        CASE
          WHEN amount_die < 48 THEN 1760
          WHEN amount_die < 71 THEN 8800
          WHEN amount_die < 89 THEN 4400
          WHEN amount_die < 95 THEN 5720
          ELSE 3080
        END
      WHEN country_die < 59 THEN
        CASE
          WHEN amount_die < 37 THEN 2200
          WHEN amount_die < 69 THEN 5720
          WHEN amount_die < 88 THEN 11000
          WHEN amount_die < 94 THEN 1760
          ELSE 3520
        END
      WHEN country_die < 80 THEN
        CASE
          WHEN amount_die < 58 THEN 2640
          WHEN amount_die < 80 THEN 3520
          ELSE 4400
        END
      ELSE
        CASE
          WHEN amount_die < 40 THEN 4400
          WHEN amount_die < 73 THEN 13200
          WHEN amount_die < 90 THEN 8800
          WHEN amount_die < 95 THEN 1540
          ELSE 3080
        END
    END AS DOUBLE
  ) AS voucher_amount
FROM dated
ORDER BY row_number
