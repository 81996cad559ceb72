/*
description: >
  The functions that the models share, as DuckDB macros. Only this file defines how to read a raw value. An unreadable
  value is NULL. Nothing is guessed, rounded or cut, except digits of a second after the sixth.
*/

-- The rows of Parquet files that have the same columns, with a column more that tells the file.
-- `columns_read` leaves out the others: DuckDB fails at a moment in their statistics that it cannot convert.
CREATE MACRO parquet_rows(files, file_column, columns_read := NULL) AS TABLE
  SELECT COLUMNS(lambda name: columns_read IS NULL OR list_contains(columns_read, name))
  FROM read_parquet(files, filename = file_column, binary_as_string = true, hive_partitioning = false);

-- The rows of CSV files that have the same header line. `columns_in_file` gives each column a type: VARCHAR.
-- The sniffer is off, because it would silently skip, quote or split rows of a faulty file.
-- Files whose quoted values hold line breaks are read `in_order`, each by one thread.
CREATE MACRO csv_rows(files, columns_in_file, compressed_by, file_column, in_order := false) AS TABLE
  SELECT *
  FROM read_csv(
    files, columns = columns_in_file, filename = file_column, compression = compressed_by, parallel = NOT in_order,
    auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', strict_mode = true,
    null_padding = false, ignore_errors = false, hive_partitioning = false
  );

-- A moment that DuckDB can count with, or NULL. The bounds leave out infinities and numbers that no calendar has.
-- Some writers leave the lowest number out of a file's statistics, and DuckDB would believe them that there is none below the
-- bound. It does not if the bound is computed.
CREATE MACRO moment_in_calendar(value) AS
  CASE
    WHEN value
      BETWEEN greatest(value, TIMESTAMP '290309-12-22 (BC) 00:00:00') AND TIMESTAMP '294247-01-10 04:00:54.775806'
      THEN value
  END;

-- Milliseconds as a file holds them, for the functions that take a raw value. DuckDB cannot represent most of these numbers as timestamps.
CREATE MACRO raw_milliseconds(value) AS { 'milliseconds': CAST(value AS BIGINT) };

-- make_timestamp_ms fails at a number out of its reach also in a branch that is not taken.
CREATE MACRO moment_from_milliseconds(value) AS
  make_timestamp(
    CASE
      WHEN value BETWEEN greatest(value, -9223372022400000) AND least(value, 9223372036854775) THEN value * 1000
    END
  );

-- The text of a raw value for the table of rejected rows. A timestamp outside the calendar, such as the lowest number for a
-- missing value, is shown as its number.
CREATE MACRO as_text
  (value) AS CAST(value AS VARCHAR),
  (value DATE) AS CAST(value AS VARCHAR),
  (value TIMESTAMP) AS
    CASE
      WHEN isfinite(value) AND moment_in_calendar(value) IS NULL THEN CAST(epoch_us(value) AS VARCHAR)
      ELSE CAST(value AS VARCHAR)
    END,
  (value TIMESTAMPTZ) AS
    CASE
      WHEN NOT isfinite(value) THEN CAST(value AS VARCHAR)
      WHEN moment_in_calendar(make_timestamp(epoch_us(value))) IS NULL THEN CAST(epoch_us(value) AS VARCHAR)
      -- DuckDB's own text of a zoned timestamp is up to a millisecond wrong after the year 287396.
      ELSE CAST(make_timestamp(epoch_us(value)) AS VARCHAR) || '+00'
    END,
  (value STRUCT(milliseconds BIGINT)) AS
    coalesce(
      CAST(moment_from_milliseconds(value.milliseconds) AS VARCHAR), CAST(value.milliseconds AS VARCHAR)
    ),
  (value TIMESTAMP_NS) AS
    CASE
      -- The first day that nanoseconds reach is one that DuckDB writes no text of.
      WHEN isfinite(value) AND epoch_ns(value) < -9223286400000000000 THEN CAST(epoch_ns(value) AS VARCHAR)
      ELSE CAST(value AS VARCHAR)
    END;

-- The text without surrounding spaces: space, tab, LF, VT, FF, CR. They are the lowest printable characters, so a check of
-- both ends shows that there is nothing to strip. It costs a fifth of trim.
CREATE MACRO stripped(value) AS
  CASE
    WHEN value >= '!' AND right(value, 1) > ' ' THEN value
    ELSE trim(value, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
  END;

-- Minutes east of UTC of an offset: Z, +HH, +HHMM or +HH:MM; 0 if there is none.
CREATE MACRO offset_minutes(zone_offset) AS
  CASE
    WHEN length(zone_offset) < 3 THEN 0
    ELSE
      CASE left(zone_offset, 1) WHEN '-' THEN -1 ELSE 1 END * (
        60 * CAST(substring(zone_offset, 2, 2) AS INTEGER)
        + CASE WHEN length(zone_offset) > 3 THEN CAST(right(zone_offset, 2) AS INTEGER) ELSE 0 END
      )
  END;

-- DuckDB's casts cannot read an offset safely. The cast to TIMESTAMP drops it silently. The cast to TIMESTAMPTZ can fail as
-- a whole, and a zone name changes how it reads the next rows.
CREATE MACRO moment_from_parts(parts) AS
  TRY_CAST(parts.day || ' ' || CASE parts.clock WHEN '' THEN '00:00' ELSE parts.clock END AS TIMESTAMP)
  - to_minutes(offset_minutes(parts.zone_offset));

-- The grammar of a moment: a date, or a date and a time of day with up to 9 digits of a second, then an offset or none.
-- The parts go through a list, because a macro repeats the text of a value wherever it names it: ten expressions to plan, not one.
CREATE MACRO moment_by_grammar(value) AS
  list_transform(
    [
      regexp_extract(
        stripped(value),
        '^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ Tt]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?) ?(Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?$',
        ['day', 'clock', 'zone_offset']
      )
    ],
    lambda parts: moment_from_parts(parts)
  )[1];

-- Whether a text is a date, or a date and a time of day with seconds and 0, 3 or 6 digits more, in UTC, as feeds write most moments.
-- Its length tells what it can be, so one comparison is enough; the usual lengths come first. For `?`, the cast of such a text accepts
-- only digits.
CREATE MACRO is_usual_moment(value) AS
  CASE strlen(value)
    WHEN 32 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9].[0-9][0-9][0-9][0-9][0-9][0-9]+00:00'
    WHEN 25 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9]+00:00'
    WHEN 10 THEN value GLOB '????-??-?[0-9]'
    WHEN 20 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9]Z'
    WHEN 27 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'
    WHEN 19 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9]'
    WHEN 26 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
    WHEN 23 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9].[0-9][0-9][0-9]'
    WHEN 24 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9].[0-9][0-9][0-9]Z'
    WHEN 29 THEN value GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9].[0-9][0-9][0-9]+00:00'
    ELSE false
  END
  AND value >= '0';

-- Whether a text is a date and a time of day with seconds, and then what is in `zone_offset`, a pattern.
CREATE MACRO is_moment_with(value, zone_offset) AS
  regexp_full_match(
    value,
    '[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?' || zone_offset
  );

-- The moment in UTC that a text says, or NULL. All branches before the last one say the same as the grammar at a small part of its
-- cost. DuckDB's casts see no text that is not in the grammar: they would take blanks for digits, and names of zones.
CREATE MACRO moment_from_text(value) AS
  CASE
    WHEN is_usual_moment(value) THEN TRY_CAST(value AS TIMESTAMP)
    WHEN is_moment_with(value, '[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?')
      THEN make_timestamp(epoch_us(TRY_CAST(value AS TIMESTAMPTZ)))
    WHEN is_moment_with(value, 'Z?') THEN TRY_CAST(value AS TIMESTAMP)
    ELSE moment_by_grammar(value)
  END;

-- The moment in UTC that a raw value says, or NULL. Infinities are not valid.
CREATE MACRO moment
  (value VARCHAR) AS moment_from_text(value),
  (value TIMESTAMP) AS moment_in_calendar(value),
  (value STRUCT(milliseconds BIGINT)) AS moment_from_milliseconds(value.milliseconds),
  -- The cast rounds nanoseconds before 1970 up; the digits are cut, as those of a text are. The lowest number is none.
  (value TIMESTAMP_NS) AS
    CASE
      WHEN isfinite(value) AND xor(epoch_ns(value), 1) <> -9223372036854775807 THEN make_timestamp(epoch_ns(value) // 1000 - CASE WHEN epoch_ns(value) % 1000 < 0 THEN 1 ELSE 0 END)
    END,
  (value TIMESTAMPTZ) AS moment_in_calendar(make_timestamp(epoch_us(value))),
  (value DATE) AS CASE WHEN isfinite(value) THEN TRY_CAST(value AS TIMESTAMP) END;

-- The whole number that a text says, or NULL: 12, 12.0 and +12 are one.
CREATE MACRO whole_number_from_text(value) AS
  CASE
    -- DuckDB matches a column's own text once for each different value, and a stripped one for each row.
    WHEN regexp_full_match(value, '[+]?[0-9]+([.]0*)?') THEN TRY_CAST(value AS BIGINT)
    WHEN regexp_full_match(stripped(value), '[+]?[0-9]+([.]0*)?') THEN TRY_CAST(stripped(value) AS BIGINT)
  END;

-- The whole number that a raw value says, or NULL: 4.5, NaN and infinities are none.
CREATE MACRO whole_number
  (value VARCHAR) AS whole_number_from_text(value),
  (value BIGINT) AS value,
  (value DOUBLE) AS CASE WHEN value = trunc(value) THEN TRY_CAST(value AS BIGINT) END;

-- A whole number as INTEGER where it lies between `lowest` and the largest INTEGER, else NULL.
CREATE MACRO integer_from(lowest, number) AS
  CASE WHEN number BETWEEN lowest AND 2147483647 THEN CAST(number AS INTEGER) END;

-- The country that a text without blanks around it names, or NULL. No database keeps U+0000 for sure.
CREATE MACRO country_from(country) AS
  CASE WHEN length(country) BETWEEN 1 AND 64 AND NOT contains(country, chr(0)) THEN country END;

-- The reason why a column rejects its row, or NULL.
CREATE MACRO reject_reason(column_name, value, value_text) AS
  CASE
    WHEN value IS NOT NULL THEN NULL
    WHEN coalesce(stripped(value_text), '') = '' THEN column_name || '_missing'
    ELSE column_name || '_invalid'
  END;

-- The given reasons that are not NULL, in their order.
CREATE MACRO reasons_given(first_reason, second_reason, third_reason, fourth_reason, fifth_reason) AS
  list_filter(
    [first_reason, second_reason, third_reason, fourth_reason, fifth_reason],
    lambda reason: reason IS NOT NULL
  );

-- The shown part of a rejected value, and its file. The smallest of several examples has a value if one of them has.
CREATE MACRO example_of(fault, source_file) AS
  { 'is_missing': fault IS NULL, 'fault': left(fault, 80), 'source_file': source_file };

-- A row for each item of a list, under the name that other engines have for it.
CREATE MACRO explode(items) AS unnest(items);

-- Whole calendar days from the date of a moment to that of another.
CREATE MACRO days_between(earlier, later) AS
  CAST(date_diff('day', CAST(earlier AS DATE), CAST(later AS DATE)) AS INTEGER);

-- A run sees only what was known at its execution date. A later row is out of scope, which is not an error.
CREATE MACRO known_at(execution_date, "timestamp", last_order_ts) AS
  "timestamp" <= execution_date AND last_order_ts <= execution_date;
{% for kind in segments %}
CREATE MACRO {{ kind.name | identifier }}({{ kind.measure | identifier }}) AS
  CASE
    {%- for segment in kind.bounded %}
    WHEN {{ kind.measure | identifier }} <= {{ segment.up_to }} THEN {{ segment.name }}
    {%- endfor %}
    WHEN {{ kind.measure | identifier }} IS NOT NULL THEN {{ kind.unbounded.name }}
  END;
{% endfor %}
-- Segments have an order that their names do not: 5-13 comes before 13-37.
CREATE MACRO segment_position(segment_kind, segment) AS
  CASE segment_kind
    {%- for kind in segments %}
    WHEN {{ kind.name }} THEN list_position({{ kind.names | list }}, segment)
    {%- endfor %}
  END;

-- The chance that a standard normal variable is at most z (Abramowitz and Stegun, 26.2.17; within 0.0000001).
CREATE MACRO normal_tail(t) AS
  t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
CREATE MACRO normal_cdf(z) AS
  CASE WHEN z < 0 THEN 0 ELSE 1 END
  - CASE WHEN z < 0 THEN -1 ELSE 1 END * exp(-z * z / 2) * 0.3989422804 * normal_tail(1 / (1 + 0.2316419 * abs(z)));

-- How far `below` is from the mean of a Poisson count, as a standard normal variable (Wilson and Hilferty).
CREATE MACRO poisson_deviation(below, expected) AS
  3 * sqrt(below) * (1 - 1 / (9 * below) - cbrt(expected / below));

-- How the chances of 0, 1, 2 … and `most` vouchers relate to each other for an amount that is expected `vouchers` times.
CREATE MACRO poisson_weights(vouchers, most) AS
  list_transform(range(0, most + 1), lambda drawn: power(vouchers, drawn) / gamma(drawn + 1));

-- The weights of 0, 1, 2 … and `most` vouchers of two amounts together.
CREATE MACRO weights_together(one, other, most) AS
  list_transform(
    range(1, least(most + 1, len(one) + len(other) - 1) + 1),
    lambda i: list_dot_product(
      one[greatest(1, i - len(other) + 1):least(i, len(one))],
      list_reverse(other[greatest(1, i - len(one) + 1):least(i, len(other))])
    )
  );

-- The chance that an amount wins again if the same number of vouchers is drawn again by the shares of the counts. It is the sum
-- over every number of vouchers that can win. `rivals` are the counts of the other amounts, negative for those that win ties.
CREATE MACRO chance_among_few(winner, total, rivals) AS
  gamma(total + 1) / power(total, total) * list_sum(
    list_transform(
      range(greatest(1, total // (len(rivals) + 1)), total + 1),
      lambda drawn: power(winner, drawn) / gamma(drawn + 1) * coalesce(
        list_reduce(
          list_transform(
            rivals,
            lambda rival:
              poisson_weights(abs(rival), least(total - drawn, CASE WHEN rival > 0 THEN drawn ELSE drawn - 1 END))
          ),
          lambda one, other: weights_together(one, other, total - drawn)
        )[total - drawn + 1],
        0
      )
    )
  );

-- The same chance for many vouchers. The counts are nearly independent Poisson counts, so the chance is an integral over the count of
-- the winner, computed at 17 points. A tie is half a voucher away; it is a whole one or none if there are no other amounts.
CREATE MACRO chance_among_many(winner, total, rivals) AS
  list_sum(
    list_transform(
      range(-8, 9),
      lambda point: exp(-point * point / 8) / sqrt(8 * pi()) * list_product(
        list_transform(
          list_transform(
            list_transform(
              rivals,
              lambda rival: {
                'below': greatest(
                  0.000001,
                  winner + sqrt(winner) * point / 2 + (point * point / 4 - 1) / 6 + 0.5
                  + sign(rival) / 2
                  * (1 + CASE WHEN total % 2 = 0 THEN 1 ELSE -1 END * exp(-2 * (total - winner - abs(rival))))
                ),
                'expected': abs(rival)
              }
            ),
            lambda count: poisson_deviation(count.below, count.expected)
          ),
          lambda z: normal_cdf(z)
        )
      )
    )
  );

-- The chance that an amount wins again, to three digits: docs/certainty.md. Without a rival among few vouchers one more voucher of
-- another amount is imagined, larger or smaller. The first rounding takes off what machines compute differently.
CREATE MACRO chance_to_win_again(winner, total, rivals) AS
  round(
    round(
      CASE
        WHEN total < 30 AND rivals IS NULL
          THEN (chance_among_few(winner, least(total, 29) + 1, [1]) + chance_among_few(winner, least(total, 29) + 1, [-1])) / 2
        -- DuckDB computes what is constant in every branch, also in those that are not taken.
        WHEN total < 30 THEN chance_among_few(winner, least(total, 29), rivals)
        WHEN rivals IS NULL THEN 1
        ELSE chance_among_many(winner, total, rivals)
      END,
      9
    ),
    3
  );

-- A certainty in words for people.
CREATE MACRO certainty_word(certainty) AS
  CASE
    {%- for word in certainty.bounded %}
    WHEN certainty >= {{ word.at_least }} THEN {{ word.name }}
    {%- endfor %}
    ELSE {{ certainty.lowest.name }}
  END;
