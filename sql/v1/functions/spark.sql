/*
description: >
  The functions that the models share, as functions of Spark: the same names and meanings as in duckdb.sql, and the same
  values to the last digit. Spark evaluates an argument for every row, even for a branch that is not taken. It does not
  unfold a value whose argument is more than a column. So expensive code is in the body of a function. A regular expression ends in \z,
  because $ is also before a line's end. They are for a session whose time zone is UTC.
*/

-- Functions of Spark have no overloads: a raw value is a struct, and its only field that is not NULL shows its type. Spark folds
-- that away, as long as no field is more than a column. DuckDB reads the other types, and moments outside the years 1 to 9999.
CREATE OR REPLACE TEMPORARY FUNCTION raw_value(text STRING, moment TIMESTAMP_NTZ, zoned TIMESTAMP_NTZ, whole BIGINT, number DOUBLE)
RETURNS STRUCT<text STRING, moment TIMESTAMP_NTZ, zoned TIMESTAMP_NTZ, whole BIGINT, number DOUBLE>
RETURN named_struct('text', text, 'moment', moment, 'zoned', zoned, 'whole', whole, 'number', number);

CREATE OR REPLACE TEMPORARY FUNCTION raw_text(value STRING) RETURN raw_value(value, NULL, NULL, NULL, NULL);
CREATE OR REPLACE TEMPORARY FUNCTION raw_moment(value TIMESTAMP_NTZ) RETURN raw_value(NULL, value, NULL, NULL, NULL);
CREATE OR REPLACE TEMPORARY FUNCTION raw_zoned(value TIMESTAMP_LTZ) RETURN raw_value(NULL, NULL, CAST(value AS TIMESTAMP_NTZ), NULL, NULL);
CREATE OR REPLACE TEMPORARY FUNCTION raw_whole(value BIGINT) RETURN raw_value(NULL, NULL, NULL, value, NULL);
CREATE OR REPLACE TEMPORARY FUNCTION raw_number(value DOUBLE) RETURN raw_value(NULL, NULL, NULL, NULL, value);

-- The text without the blanks around it: space, tab, LF, VT, FF, CR.
CREATE OR REPLACE TEMPORARY FUNCTION stripped(value STRING) RETURNS STRING
RETURN trim(BOTH ' \t\n\u000B\u000C\r' FROM value);

-- The shortest decimal that reads as the number, for example 4.5e+00. Java's own text is not always that, and rounds what it
-- has rounded before: a 5 at the end may be one to leave out.
CREATE OR REPLACE TEMPORARY FUNCTION shortest_decimal(value DOUBLE) RETURNS STRING
RETURN
  CASE
    {%- for further_digits in (0..15) %}
    WHEN try_cast(format_string('%.{{ further_digits }}e', value) AS DOUBLE) = value THEN format_string('%.{{ further_digits }}e', value)
    {%- endfor %}
    WHEN try_cast(regexp_replace(format_string('%.16e', value), '[0-9]e', 'e') AS DOUBLE) = value
      THEN regexp_replace(format_string('%.16e', value), '[0-9]e', 'e')
    ELSE format_string('%.16e', value)
  END;

CREATE OR REPLACE TEMPORARY FUNCTION text_of_number(value DOUBLE) RETURNS STRING
RETURN
  CASE
    WHEN isnan(value) OR abs(value) = CAST('Infinity' AS DOUBLE) THEN lower(replace(CAST(value AS STRING), 'inity', ''))
    WHEN abs(value) < 1e15D AND value = rint(value) THEN format_string('%.1f', value)
    -- The digits as they stand, with one at least after the point.
    WHEN abs(value) >= 1e-4D AND abs(value) < 1e16D
      THEN regexp_replace(CAST(try_cast(shortest_decimal(value) AS DECIMAL(38, 21)) AS STRING), r'([.][0-9]+?)0*\z', '$1')
    ELSE shortest_decimal(value)
  END;

-- The text of a raw value, as the table of rejected rows keeps it.
CREATE OR REPLACE TEMPORARY FUNCTION as_text(value STRUCT<text STRING, moment TIMESTAMP_NTZ, zoned TIMESTAMP_NTZ, whole BIGINT, number DOUBLE>) RETURNS STRING
RETURN
  CASE
    WHEN value.text IS NOT NULL THEN value.text
    WHEN value.moment IS NOT NULL THEN CAST(value.moment AS STRING)
    WHEN value.zoned IS NOT NULL THEN concat(CAST(value.zoned AS STRING), '+00')
    WHEN value.whole IS NOT NULL THEN CAST(value.whole AS STRING)
    WHEN value.number IS NOT NULL THEN text_of_number(value.number)
  END;

-- The offset in a text as hours and minutes: 230 for +02:30, -900 for -09 and -0900, 0 if there is none.
CREATE OR REPLACE TEMPORARY FUNCTION offset_digits(value STRING) RETURNS INT
RETURN
  try_cast(rpad(translate(regexp_extract(substring(stripped(value), 11), '[+-].*', 0), ':', ''), 5, '0') AS INT);

-- The moment that a text says of which the grammar is known to hold. The end of a day is the beginning of the next.
CREATE OR REPLACE TEMPORARY FUNCTION moment_from_parts(value STRING) RETURNS TIMESTAMP_NTZ
RETURN
  timestampadd(
    MINUTE,
    CASE WHEN substring(stripped(value), 12, 2) = '24' THEN 1440 ELSE 0 END
    - 60 * (offset_digits(value) div 100) - offset_digits(value) % 100,
    try_cast(
      concat(
        left(stripped(value), 10),
        regexp_replace(translate(regexp_extract(stripped(value), '[ Tt][0-9:.]+', 0), 'Tt', '  '), '^ 24', ' 00')
      ) AS TIMESTAMP_NTZ
    )
  );

-- The moment in UTC that a text says, or NULL: what moment_from_text says in DuckDB, where the second expression is the
-- grammar. The first expression matches the usual format of feeds.
CREATE OR REPLACE TEMPORARY FUNCTION moment_from_text(value STRING) RETURNS TIMESTAMP_NTZ
RETURN
  CASE
    WHEN value RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}( ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([+]00:00)?)?\z'
      THEN try_cast(value AS TIMESTAMP_NTZ)
    WHEN stripped(value) RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}([ Tt](([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?|24:00(:00([.](0{1,6}|0{6}[0-9]{1,3}))?)?) ?(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?\z'
      THEN moment_from_parts(value)
  END;

-- The moment in UTC that a raw value says, or NULL.
CREATE OR REPLACE TEMPORARY FUNCTION moment(value STRUCT<text STRING, moment TIMESTAMP_NTZ, zoned TIMESTAMP_NTZ, whole BIGINT, number DOUBLE>) RETURNS TIMESTAMP_NTZ
RETURN CASE WHEN value.text IS NOT NULL THEN moment_from_text(value.text) ELSE coalesce(value.moment, value.zoned) END;

-- The whole number that a text says, or NULL: 12, 12.0 and +12 are one.
CREATE OR REPLACE TEMPORARY FUNCTION whole_number_from_text(value STRING) RETURNS BIGINT
RETURN
  CASE
    WHEN stripped(value) RLIKE r'^[+]?[0-9]+([.]0*)?\z' THEN try_cast(substring_index(stripped(value), '.', 1) AS BIGINT)
  END;

-- The whole number that a raw value says, or NULL: 4.5, NaN and infinities are none.
CREATE OR REPLACE TEMPORARY FUNCTION whole_number(value STRUCT<text STRING, moment TIMESTAMP_NTZ, zoned TIMESTAMP_NTZ, whole BIGINT, number DOUBLE>) RETURNS BIGINT
RETURN
  CASE
    WHEN value.text IS NOT NULL THEN whole_number_from_text(value.text)
    WHEN value.whole IS NOT NULL THEN value.whole
    WHEN value.number >= -9223372036854775808D AND value.number < 9223372036854775808D AND value.number = rint(value.number)
      THEN try_cast(value.number AS BIGINT)
  END;

-- A whole number as INT where it lies between `lowest` and the largest INT, else NULL.
CREATE OR REPLACE TEMPORARY FUNCTION integer_from(lowest INT, number BIGINT) RETURNS INT
RETURN CASE WHEN number BETWEEN lowest AND 2147483647 THEN try_cast(number AS INT) END;

-- The country that a text without blanks around it names, or NULL. No database keeps U+0000 for sure.
CREATE OR REPLACE TEMPORARY FUNCTION country_from(country STRING) RETURNS STRING
RETURN CASE WHEN length(country) BETWEEN 1 AND 64 AND instr(country, '\u0000') = 0 THEN country END;

-- The reason why a column rejects its row, or NULL.
CREATE OR REPLACE TEMPORARY FUNCTION reject_reason(column_name STRING, value STRING, value_text STRING) RETURNS STRING
RETURN
  CASE
    WHEN value IS NOT NULL THEN NULL
    WHEN coalesce(stripped(value_text), '') = '' THEN concat(column_name, '_missing')
    ELSE concat(column_name, '_invalid')
  END;

-- The given reasons that are not NULL, in their order.
CREATE OR REPLACE TEMPORARY FUNCTION reasons_given(
  first_reason STRING, second_reason STRING, third_reason STRING, fourth_reason STRING, fifth_reason STRING
) RETURNS ARRAY<STRING>
RETURN array_compact(array(first_reason, second_reason, third_reason, fourth_reason, fifth_reason));

-- The shown part of a rejected value, and its file. The smallest of several examples has a value if one of them has.
CREATE OR REPLACE TEMPORARY FUNCTION example_of(fault STRING, source_file STRING)
RETURNS STRUCT<is_missing BOOLEAN, fault STRING, source_file STRING>
RETURN named_struct('is_missing', fault IS NULL, 'fault', left(fault, 80), 'source_file', source_file);

-- Whole calendar days from the date of a moment to that of another.
CREATE OR REPLACE TEMPORARY FUNCTION days_between(earlier TIMESTAMP_NTZ, later TIMESTAMP_NTZ) RETURNS INT
RETURN datediff(later, earlier);

-- A run sees only what was known at its execution date. A later row is out of scope, which is not an error.
CREATE OR REPLACE TEMPORARY FUNCTION known_at(
  execution_date TIMESTAMP_NTZ, "timestamp" TIMESTAMP_NTZ, last_order_ts TIMESTAMP_NTZ
) RETURNS BOOLEAN
RETURN "timestamp" <= execution_date AND last_order_ts <= execution_date;
{% for kind in segments %}
CREATE OR REPLACE TEMPORARY FUNCTION {{ kind.name | identifier }}({{ kind.measure | identifier }} INT) RETURNS STRING
RETURN
  CASE
    {%- for segment in kind.bounded %}
    WHEN {{ kind.measure | identifier }} <= {{ segment.up_to }} THEN {{ segment.name }}
    {%- endfor %}
    WHEN {{ kind.measure | identifier }} IS NOT NULL THEN {{ kind.unbounded.name }}
  END;
{% endfor %}
-- Segments have an order that their names do not: 5-13 comes before 13-37.
CREATE OR REPLACE TEMPORARY FUNCTION segment_position(segment_kind STRING, segment STRING) RETURNS INT
RETURN
  CASE segment_kind
    {%- for kind in segments %}
    WHEN {{ kind.name }} THEN CAST(nullif(array_position({{ kind.names | list }}, segment), 0) AS INT)
    {%- endfor %}
  END;

-- The chance that an amount wins again if the same number of vouchers is drawn again by the shares of the counts. It is the sum
-- over every number of vouchers that can win. `rivals` are the counts of the other amounts, negative for those that win ties.
-- A lambda of Spark cannot call a function of ours, so the weights are spelled out; the first lambda has 0!, 1!, 2! … and 30! as a value.
CREATE OR REPLACE TEMPORARY FUNCTION chance_among_few(winner BIGINT, total INT, rivals ARRAY<BIGINT>) RETURNS DOUBLE
RETURN
  transform(
    array(aggregate(sequence(1, 30), array(1D), (known, number) -> array_append(known, element_at(known, -1) * number))),
    factorials -> factorials[total] / power(total, total) * aggregate(
      sequence(greatest(1, CAST(total / (size(rivals) + 1) AS INT)), total),
      0D,
      (chance, drawn) -> chance + power(winner, drawn) / factorials[drawn] * coalesce(
        get(
          aggregate(
            rivals,
            array(1D),
            -- The weights of 0, 1, 2 … vouchers of the rivals so far, with those of one rival more.
            (weights, rival) -> transform(
              sequence(0, least(total - drawn, size(weights) - 1 + drawn - CASE WHEN rival > 0 THEN 0 ELSE 1 END)),
              together -> aggregate(
                sequence(
                  greatest(0, together - drawn + CASE WHEN rival > 0 THEN 0 ELSE 1 END), least(together, size(weights) - 1)
                ),
                0D,
                (weight, before) ->
                  weight + weights[before] * power(abs(rival), together - before) / factorials[together - before]
              )
            )
          ),
          total - drawn
        ),
        0D
      )
    )
  )[0];

-- The same chance for many vouchers. The counts are nearly independent Poisson counts, so the chance is an integral over the count of
-- the winner, computed at 17 points. A tie is half a voucher away; it is a whole one or none if there are no other amounts.
CREATE OR REPLACE TEMPORARY FUNCTION chance_among_many(winner BIGINT, total BIGINT, rivals ARRAY<BIGINT>) RETURNS DOUBLE
RETURN
  aggregate(
    sequence(-8, 8),
    0D,
    (chance, point) -> chance + exp(-point * point / 8D) / sqrt(8 * pi()) * aggregate(
      transform(
        transform(
          rivals,
          rival -> named_struct(
            'below', greatest(
              0.000001D,
              winner + sqrt(winner) * point / 2 + (point * point / 4D - 1) / 6 + 0.5D
              + sign(rival) / 2
              * (1 + CASE WHEN total % 2 = 0 THEN 1 ELSE -1 END * exp(-2 * (total - winner - abs(rival))))
            ),
            'expected', abs(rival)
          )
        ),
        -- How far the count is from its mean, as a standard normal variable (Wilson and Hilferty).
        count -> 3 * sqrt(count.below) * (1 - 1 / (9 * count.below) - cbrt(count.expected / count.below))
      ),
      1D,
      -- The chance that a standard normal variable is at most z (Abramowitz and Stegun, 26.2.17; within 0.0000001).
      (product, z) -> product * element_at(
        transform(
          array(1 / (1 + 0.2316419D * abs(z))),
          t -> CASE WHEN z < 0 THEN 0 ELSE 1 END
            - CASE WHEN z < 0 THEN -1 ELSE 1 END * exp(-z * z / 2) * 0.3989422804D
            * t * (0.31938153D + t * (-0.356563782D + t * (1.781477937D + t * (-1.821255978D + t * 1.330274429D))))
        ),
        1
      )
    )
  );

-- The chance that an amount wins again, to three digits: docs/certainty.md. Without a rival among few vouchers one more voucher of
-- another amount is imagined, larger or smaller. The first rounding takes off what machines compute differently.
CREATE OR REPLACE TEMPORARY FUNCTION chance_to_win_again(winner BIGINT, total BIGINT, rivals ARRAY<BIGINT>) RETURNS DOUBLE
RETURN
  round(
    round(
      CASE
        WHEN total < 30 AND rivals IS NULL
          THEN
            (
              chance_among_few(winner, CAST(total + 1 AS INT), array(1L))
              + chance_among_few(winner, CAST(total + 1 AS INT), array(-1L))
            )
            / 2
        WHEN total < 30 THEN chance_among_few(winner, CAST(total AS INT), rivals)
        WHEN rivals IS NULL THEN 1D
        ELSE chance_among_many(winner, total, rivals)
      END,
      9
    ),
    3
  );

-- A certainty in words for people.
CREATE OR REPLACE TEMPORARY FUNCTION certainty_word(certainty DOUBLE) RETURNS STRING
RETURN
  CASE
    {%- for word in certainty.bounded %}
    WHEN certainty >= {{ word.at_least }} THEN {{ word.name }}
    {%- endfor %}
    ELSE {{ certainty.lowest.name }}
  END;
