{% macro strip(text) -%}
trim(CAST({{ text }} AS VARCHAR), E' \t\n\r' || chr(11) || chr(12))
{%- endmacro %}

{% macro utc(text) -%}
CASE
  WHEN {{ text }} GLOB '????-??-??' AND {{ text }} >= '0' THEN TRY_CAST({{ text }} AS TIMESTAMP)
  WHEN {{ text }} GLOB '????-??-?[0-9] [0-9]?:??:??.??????+00:00' AND {{ text }} >= '0' THEN TRY_CAST({{ text }} AS TIMESTAMP)
  WHEN
    regexp_full_match(
      {{ text }},
      '[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?'
    )
    THEN make_timestamp(epoch_us(TRY_CAST({{ text }} AS TIMESTAMPTZ)))
END
{%- endmacro %}

{% macro whole(text, lowest) -%}
CASE
  WHEN regexp_full_match(CAST({{ text }} AS VARCHAR), '\s*[+]?[0-9]+([.]0*)?\s*')
    AND TRY_CAST({{ text }} AS BIGINT) BETWEEN {{ lowest }} AND 2147483647
  THEN TRY_CAST({{ text }} AS INTEGER)
END
{%- endmacro %}

{% macro why(column, value) -%}
CASE
  WHEN {{ value }} IS NULL
  THEN '{{ column }}' || CASE WHEN coalesce({{ strip(column) }}, '') = '' THEN '_missing' ELSE '_invalid' END
END
{%- endmacro %}

{% macro most_used(segment) -%}
SELECT
  country_code, {{ segment }}, voucher_amount, count(*) AS assignments,
  CAST(sum(count(*)) OVER (PARTITION BY country_code, {{ segment }}) AS BIGINT) AS segment_assignments,
  '{{ var("partition_key") }}' AS execution_date
FROM {{ ref("vouchers") }}
GROUP BY country_code, {{ segment }}, voucher_amount
QUALIFY row_number() OVER (PARTITION BY country_code, {{ segment }} ORDER BY count(*) DESC, voucher_amount) = 1
{%- endmacro %}
