{{ config(location=var("out") ~ "/voucher_recency_most_used.parquet") }}
{{ most_used("recency_segment") }}
