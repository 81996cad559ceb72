/*
description: >
  Whether rejected rows could change an answer: the margin of the most used amount, and the rejected rows that may belong
  to its country and segment. An unreadable value can stand for any value: a row without a number of orders may belong to
  every segment by orders.
recorded: false
columns:
  country_code:   { type: VARCHAR, description: Country of the customers }
  segment_kind:   { type: VARCHAR, description: frequent_segment or recency_segment }
  segment:        { type: VARCHAR, description: The segment within its kind }
  voucher_amount: { type: INTEGER, description: "The answer; missing if the country has none for the segment" }
  runner_up:      { type: INTEGER, description: The second most used amount; missing if there is none }
  margin:         { type: BIGINT, description: Vouchers of the answer minus vouchers of the runner-up }
  rejected:       { type: BIGINT, description: Rejected rows that may belong here and do not have the answer's amount }
  could_change:   { type: BOOLEAN, description: "Whether these rows would change the answer if all had one other amount" }
*/
WITH answers AS (
  SELECT
    country_code, segment_kind, segment, voucher_amount, runner_up,
    assignments - coalesce(runner_up_assignments, 0) AS margin
  FROM {{ "provision.voucher_answers" | ref }}
),

rejected_of_amount AS (
  SELECT country_code, segment_kind, segment, voucher_amount, rejected
  FROM {{ "measures.rejected_by_answer" | ref }}
),

rejected_of_all AS (
  SELECT country_code, segment_kind, segment, sum(rejected) AS rejected
  FROM rejected_of_amount
  GROUP BY country_code, segment_kind, segment
),

countries AS (
  SELECT country_code FROM answers
  UNION
  SELECT country_code FROM rejected_of_amount WHERE country_code <> ''
),

all_segments AS (
  {%- for kind in segments %}
  SELECT {{ kind.name }} AS segment_kind, unnest({{ kind.names | list }}) AS segment
  {%- unless forloop.last %}
  UNION ALL
  {%- endunless %}
  {%- endfor %}
),

-- A rejected row can match in four ways: its country is known or unknown, and so is its segment.
ways AS (
  SELECT
    country_code, segment_kind, segment, voucher_amount, runner_up, margin,
    unnest([country_code, country_code, '', '']) AS said_country,
    unnest([segment, '', segment, '']) AS said_segment
  FROM countries
  CROSS JOIN all_segments
  LEFT JOIN answers USING (country_code, segment_kind, segment)
),

counted AS (
  SELECT
    ways.country_code, ways.segment_kind, ways.segment, ways.voucher_amount, ways.runner_up, ways.margin,
    CAST(coalesce(sum(every_amount.rejected), 0) - coalesce(sum(same_amount.rejected), 0) AS BIGINT) AS rejected
  FROM ways
  LEFT JOIN rejected_of_all AS every_amount
    ON every_amount.country_code = ways.said_country
    AND every_amount.segment_kind = ways.segment_kind
    AND every_amount.segment = ways.said_segment
  LEFT JOIN rejected_of_amount AS same_amount
    ON same_amount.country_code = ways.said_country
    AND same_amount.segment_kind = ways.segment_kind
    AND same_amount.segment = ways.said_segment
    AND same_amount.voucher_amount = ways.voucher_amount
  GROUP BY ALL
)

SELECT
  country_code, segment_kind, segment, voucher_amount, runner_up, margin, rejected,
  CASE
    WHEN voucher_amount IS NULL THEN rejected > 0
    -- The smaller of two equally used amounts wins, so a smaller amount only needs the same number of vouchers.
    WHEN coalesce(runner_up, 1) < voucher_amount THEN rejected >= margin
    ELSE rejected > margin
  END AS could_change
FROM counted
WHERE voucher_amount IS NOT NULL OR rejected > 0
