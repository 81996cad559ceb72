#!/usr/bin/env bash
# Validates the data contract by `datacontract lint`: of this project's models, and of one more with every type that a header can declare.
set -euo pipefail
cd "$(dirname "$0")/../.."

datacontract="$(test/python-packages.sh datacontract test/data-contract/requirements.txt)/datacontract"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

cp -r sql "$folder/sql"
cat >"$folder/sql/v1/provision/every_type.sql" <<'SQL'
/*
description: "A row with a value of every type: \"quoted\", é."
key: [country_code]
publish: true
audits:
  - is_small: { description: Few rows., severity: warn, threshold: { share: 0.5 }, select: 'SELECT * FROM {{ model.name | ref }}' }
columns:
  country_code:   { type: VARCHAR, max_length: 64, description: Text }
  whole:          { type: INTEGER, description: A whole number }
  large:          { type: BIGINT, description: A large whole number }
  fraction:       { type: DOUBLE, description: A number }
  truth:          { type: BOOLEAN, description: "Whether it is so: yes" }
  day:            { type: DATE, description: A day }
  moment:         { type: TIMESTAMP, description: A moment }
  texts:          { type: "VARCHAR[]", publish: false, description: Several texts }
  execution_date: { type: VARCHAR, max_length: 17, description: The partition }
*/
SELECT country_code, 1 AS whole, count(*) AS large, CAST(1.5 AS DOUBLE) AS fraction, true AS truth, DATE '2020-02-29' AS day,
  max("timestamp") AS moment, [country_code] AS texts, {{ partition_key }} AS execution_date
FROM {{ "curated.vouchers" | ref }}
GROUP BY ALL
ORDER BY ALL
SQL

for sql in sql "$folder/sql"; do
  SQL_DIRECTORY="$sql" node dist/cli/main.js docs --odcs "$folder/contract.odcs.yaml"
  grep -q '^apiVersion: v3\.1\.0$' "$folder/contract.odcs.yaml"
  "$datacontract" lint --all-errors "$folder/contract.odcs.yaml"
done
