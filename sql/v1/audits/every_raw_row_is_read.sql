/*
description: The number of rows read equals the number of rows in the raw files, by Parquet footers and a byte count of CSV rows.
reads_files: true
*/
WITH in_files AS (
  {%- for part in raw_parts %}
  {%- if part.format == "parquet" %}
  SELECT sum(num_rows) AS row_count
  FROM parquet_file_metadata({{ part.files | list }})
  {%- else %}
  SELECT {{ part.rowCount }} AS row_count
  {%- endif %}
  {%- unless forloop.last %}
  UNION ALL
  {%- endunless %}
  {%- endfor %}
),

counted AS (
  SELECT
    (SELECT sum(row_count) FROM in_files) AS rows_in_files,
    (SELECT count(*) FROM {{ model.name | ref }}) AS rows_read
)

SELECT rows_in_files, rows_read
FROM counted
WHERE rows_in_files <> rows_read
