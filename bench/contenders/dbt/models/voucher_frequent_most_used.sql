{{ config(location=var("out") ~ "/voucher_frequent_most_used.parquet") }}
{{ most_used("frequent_segment") }}
