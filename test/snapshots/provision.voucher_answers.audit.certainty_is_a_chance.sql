SELECT * FROM provision.voucher_answers WHERE NOT coalesce(certainty >= 0 AND certainty <= 1, false)
