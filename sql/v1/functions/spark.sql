/*
description: >
  The functions that the models share, as functions of Spark 4. They say of every value what those of the same names say in
  duckdb.sql; tests hold the two against each other. Spark's functions have one form each, so that a raw value comes with what it
  is: a struct of which one field is set. Spark computes with the field alone.
*/

CREATE OR REPLACE TEMPORARY FUNCTION raw_text(value STRING)
  RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>
  RETURN named_struct('text', value, 'moment', CAST(NULL AS TIMESTAMP_NTZ), 'nanoseconds', CAST(NULL AS BIGINT), 'zoned', CAST(NULL AS TIMESTAMP), 'day', CAST(NULL AS DATE), 'whole', CAST(NULL AS BIGINT), 'number', CAST(NULL AS DOUBLE));

CREATE OR REPLACE TEMPORARY FUNCTION raw_moment(value TIMESTAMP_NTZ)
  RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>
  RETURN named_struct('text', CAST(NULL AS STRING), 'moment', value, 'nanoseconds', CAST(NULL AS BIGINT), 'zoned', CAST(NULL AS TIMESTAMP), 'day', CAST(NULL AS DATE), 'whole', CAST(NULL AS BIGINT), 'number', CAST(NULL AS DOUBLE));

CREATE OR REPLACE TEMPORARY FUNCTION raw_nanoseconds(value BIGINT)
  RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>
  RETURN named_struct('text', CAST(NULL AS STRING), 'moment', CAST(NULL AS TIMESTAMP_NTZ), 'nanoseconds', value, 'zoned', CAST(NULL AS TIMESTAMP), 'day', CAST(NULL AS DATE), 'whole', CAST(NULL AS BIGINT), 'number', CAST(NULL AS DOUBLE));

CREATE OR REPLACE TEMPORARY FUNCTION raw_zoned(value TIMESTAMP)
  RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>
  RETURN named_struct('text', CAST(NULL AS STRING), 'moment', CAST(NULL AS TIMESTAMP_NTZ), 'nanoseconds', CAST(NULL AS BIGINT), 'zoned', value, 'day', CAST(NULL AS DATE), 'whole', CAST(NULL AS BIGINT), 'number', CAST(NULL AS DOUBLE));

CREATE OR REPLACE TEMPORARY FUNCTION raw_date(value DATE)
  RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>
  RETURN named_struct('text', CAST(NULL AS STRING), 'moment', CAST(NULL AS TIMESTAMP_NTZ), 'nanoseconds', CAST(NULL AS BIGINT), 'zoned', CAST(NULL AS TIMESTAMP), 'day', value, 'whole', CAST(NULL AS BIGINT), 'number', CAST(NULL AS DOUBLE));

CREATE OR REPLACE TEMPORARY FUNCTION raw_whole(value BIGINT)
  RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>
  RETURN named_struct('text', CAST(NULL AS STRING), 'moment', CAST(NULL AS TIMESTAMP_NTZ), 'nanoseconds', CAST(NULL AS BIGINT), 'zoned', CAST(NULL AS TIMESTAMP), 'day', CAST(NULL AS DATE), 'whole', value, 'number', CAST(NULL AS DOUBLE));

CREATE OR REPLACE TEMPORARY FUNCTION raw_number(value DOUBLE)
  RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>
  RETURN named_struct('text', CAST(NULL AS STRING), 'moment', CAST(NULL AS TIMESTAMP_NTZ), 'nanoseconds', CAST(NULL AS BIGINT), 'zoned', CAST(NULL AS TIMESTAMP), 'day', CAST(NULL AS DATE), 'whole', CAST(NULL AS BIGINT), 'number', value);

-- The text without the blanks around it: space, tab, LF, VT, FF, CR.
CREATE OR REPLACE TEMPORARY FUNCTION stripped(value STRING) RETURNS STRING
  RETURN trim(BOTH ' \t\n\u000B\f\r' FROM value);

-- A moment that DuckDB can count with, or NULL.
CREATE OR REPLACE TEMPORARY FUNCTION moment_in_calendar(value TIMESTAMP_NTZ) RETURNS TIMESTAMP_NTZ
  RETURN CASE
    WHEN value BETWEEN TIMESTAMP_NTZ '-290308-12-22 00:00:00' AND TIMESTAMP_NTZ '+294247-01-10 04:00:54.775806' THEN value
  END;

-- Minutes east of UTC of an offset: Z, +HH, +HHMM or +HH:MM; 0 where there is none.
CREATE OR REPLACE TEMPORARY FUNCTION offset_minutes(zone_offset STRING) RETURNS INT
  RETURN CASE
    WHEN length(zone_offset) < 3 THEN 0
    ELSE
      CASE left(zone_offset, 1) WHEN '-' THEN -1 ELSE 1 END * (
        60 * CAST(substring(zone_offset, 2, 2) AS INT)
        + CASE WHEN length(zone_offset) > 3 THEN CAST(right(zone_offset, 2) AS INT) ELSE 0 END
      )
  END;

-- A moment of the grammar, in its three parts; the cast knows which days a calendar has.
CREATE OR REPLACE TEMPORARY FUNCTION moment_from_parts(day STRING, clock STRING, zone_offset STRING) RETURNS TIMESTAMP_NTZ
  RETURN timestampadd(
    MINUTE,
    -offset_minutes(zone_offset),
    try_cast(concat(day, ' ', CASE clock WHEN '' THEN '00:00' ELSE clock END) AS TIMESTAMP_NTZ)
  );

-- The grammar of a moment: a date, or a date and a time of day with up to 9 digits of a second, then an offset or none.
CREATE OR REPLACE TEMPORARY FUNCTION moment_by_grammar(value STRING) RETURNS TIMESTAMP_NTZ
  RETURN CASE
    WHEN value RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}([ Tt]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)? ?(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?\z'
    THEN moment_from_parts(
      left(value, 10),
      regexp_extract(value, r'^.{11}([0-9:.]+)', 1),
      regexp_extract(value, r'^.{11}[0-9:.]+ ?(Z|[+-][0-9:]+)\z', 1)
    )
  END;

-- The moment in UTC that a text says, or NULL. The first shape is what feeds are full of, and Spark's cast reads it as the grammar does.
CREATE OR REPLACE TEMPORARY FUNCTION moment_from_text(value STRING) RETURNS TIMESTAMP_NTZ
  RETURN CASE
    WHEN value RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}( ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?([+]00:00)?)?\z'
      THEN try_cast(regexp_replace(value, r'[+]00:00\z', '') AS TIMESTAMP_NTZ)
    ELSE moment_by_grammar(stripped(value))
  END;

-- The whole number that a text says, or NULL: 12, 12.0 and +12 are one.
CREATE OR REPLACE TEMPORARY FUNCTION whole_number_from_text(value STRING) RETURNS BIGINT
  RETURN CASE
    WHEN stripped(value) RLIKE r'^[+]?[0-9]+([.]0*)?\z' THEN try_cast(substring_index(stripped(value), '.', 1) AS BIGINT)
  END;

-- The moment in UTC that a raw value says, or NULL. Infinities are no moments: DuckDB has two numbers for them.
CREATE OR REPLACE TEMPORARY FUNCTION moment(value STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>) RETURNS TIMESTAMP_NTZ
  RETURN CASE
    WHEN value.text IS NOT NULL THEN moment_from_text(value.text)
    WHEN value.moment IS NOT NULL THEN moment_in_calendar(value.moment)
    WHEN value.zoned IS NOT NULL THEN moment_in_calendar(CAST(value.zoned AS TIMESTAMP_NTZ))
    -- The lowest number and both infinities are no moments.
    WHEN value.nanoseconds BETWEEN -9223372036854775806 AND 9223372036854775806
      THEN CAST(timestamp_micros((value.nanoseconds - pmod(value.nanoseconds, 1000)) DIV 1000) AS TIMESTAMP_NTZ)
    WHEN value.day IS NOT NULL THEN try_cast(value.day AS TIMESTAMP_NTZ)
  END;

-- The whole number that a raw value says, or NULL: 4.5, NaN and infinities are none.
CREATE OR REPLACE TEMPORARY FUNCTION whole_number(value STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>) RETURNS BIGINT
  RETURN CASE
    WHEN value.text IS NOT NULL THEN whole_number_from_text(value.text)
    WHEN value.whole IS NOT NULL THEN value.whole
    WHEN value.number >= -9223372036854775808D AND value.number < 9223372036854775808D AND value.number = rint(value.number)
      THEN CAST(value.number AS BIGINT)
  END;

-- The text of a raw value, as the table of rejected rows keeps it: as DuckDB writes it.
CREATE OR REPLACE TEMPORARY FUNCTION as_text(value STRUCT<text STRING, moment TIMESTAMP_NTZ, nanoseconds BIGINT, zoned TIMESTAMP, day DATE, whole BIGINT, number DOUBLE>) RETURNS STRING
  RETURN CASE
    WHEN value.text IS NOT NULL THEN value.text
    WHEN value.whole IS NOT NULL THEN CAST(value.whole AS STRING)
    WHEN isnan(value.number) THEN 'nan'
    WHEN value.number = DOUBLE('Infinity') THEN 'inf'
    WHEN value.number = -DOUBLE('Infinity') THEN '-inf'
    WHEN abs(value.number) < 1e15D AND value.number = rint(value.number) THEN CAST(CAST(value.number AS DECIMAL(18, 1)) AS STRING)
    WHEN value.number IS NOT NULL THEN CAST(value.number AS STRING)
    WHEN value.moment IS NOT NULL THEN CAST(value.moment AS STRING)
    WHEN value.zoned IS NOT NULL THEN concat(CAST(CAST(value.zoned AS TIMESTAMP_NTZ) AS STRING), '+00')
    WHEN value.nanoseconds IS NOT NULL
      THEN CAST(CAST(timestamp_micros((value.nanoseconds - pmod(value.nanoseconds, 1000)) DIV 1000) AS TIMESTAMP_NTZ) AS STRING)
    WHEN value.day IS NOT NULL THEN CAST(value.day AS STRING)
  END;

-- A whole number as INTEGER where it lies between `lowest` and the largest INTEGER, else NULL.
CREATE OR REPLACE TEMPORARY FUNCTION integer_from(lowest INT, number BIGINT) RETURNS INT
  RETURN CASE WHEN number BETWEEN lowest AND 2147483647 THEN CAST(number AS INT) END;

-- The country that a text without blanks around it names, or NULL.
CREATE OR REPLACE TEMPORARY FUNCTION country_from(country STRING) RETURNS STRING
  RETURN CASE WHEN length(country) BETWEEN 1 AND 64 THEN country END;

-- Why a column rejects its row, or NULL where it does not. Whether there is a value is all that counts, of whatever type it is.
CREATE OR REPLACE TEMPORARY FUNCTION reject_reason(column_name STRING, value STRING, value_text STRING) RETURNS STRING
  RETURN CASE
    WHEN value IS NOT NULL THEN NULL
    WHEN coalesce(stripped(value_text), '') = '' THEN concat(column_name, '_missing')
    ELSE concat(column_name, '_invalid')
  END;

-- The reasons among these that there are, in their order.
CREATE OR REPLACE TEMPORARY FUNCTION reasons_given(
  first_reason STRING, second_reason STRING, third_reason STRING, fourth_reason STRING, fifth_reason STRING
) RETURNS ARRAY<STRING>
  RETURN array_compact(array(first_reason, second_reason, third_reason, fourth_reason, fifth_reason));

-- What is shown of a rejected value, and its file. The least of several has a value wherever one of them has.
CREATE OR REPLACE TEMPORARY FUNCTION example_of(fault STRING, source_file STRING)
  RETURNS STRUCT<is_missing BOOLEAN, fault STRING, source_file STRING>
  RETURN named_struct('is_missing', fault IS NULL, 'fault', left(fault, 80), 'source_file', source_file);

-- Whole calendar days from the date of a moment to that of another.
CREATE OR REPLACE TEMPORARY FUNCTION days_between(earlier TIMESTAMP_NTZ, later TIMESTAMP_NTZ) RETURNS INT
  RETURN datediff(later, earlier);

-- A run sees only what was known at its execution date. What came later is out of scope, and no error.
CREATE OR REPLACE TEMPORARY FUNCTION known_at(execution_date TIMESTAMP_NTZ, "timestamp" TIMESTAMP_NTZ, last_order_ts TIMESTAMP_NTZ)
  RETURNS BOOLEAN
  RETURN "timestamp" <= execution_date AND last_order_ts <= execution_date;
{% for kind in segments %}
CREATE OR REPLACE TEMPORARY FUNCTION {{ kind.name | identifier }}({{ kind.measure | identifier }} INT) RETURNS STRING
  RETURN CASE
    {%- for segment in kind.bounded %}
    WHEN {{ kind.measure | identifier }} <= {{ segment.up_to }} THEN {{ segment.name }}
    {%- endfor %}
    WHEN {{ kind.measure | identifier }} IS NOT NULL THEN {{ kind.unbounded.name }}
  END;
{% endfor %}
-- Segments have an order that their names do not: 5-13 comes before 13-37.
CREATE OR REPLACE TEMPORARY FUNCTION segment_position(segment_kind STRING, segment STRING) RETURNS INT
  RETURN CASE segment_kind
    {%- for kind in segments %}
    WHEN {{ kind.name }} THEN CAST(nullif(array_position({{ kind.names | list }}, segment), 0) AS INT)
    {%- endfor %}
  END;
