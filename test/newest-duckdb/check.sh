#!/usr/bin/env bash
# Runs all rendered SQL on the DuckDB that the project uses and on the newest one of PyPI, and holds the rows of both against each other. A
# version of DuckDB is mended for about a year: 1.5 until March 2027.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

ours="$(node -p 'require("./package.json").dependencies["@duckdb/node-api"].split("-")[0]')"
newest="$(python3 -m pip index versions duckdb --disable-pip-version-check 2>/dev/null | sed -nE '1s/^duckdb \((.*)\)$/\1/p')"
[ -n "$newest" ] || { echo "PyPI does not say which DuckDB is the newest" >&2; exit 1; }

run() { # NAME VERSION
  local bin
  echo "duckdb==$2" >"$folder/$1.txt"
  bin="$(test/python-packages.sh "duckdb-$1" "$folder/$1.txt")"
  mkdir "$folder/$1"
  (cd "$folder/$1" && "$bin/python" "$OLDPWD/test/newest-duckdb/run_sql.py" "$OLDPWD/test/snapshots" "$OLDPWD/data/raw/vouchers") >"$folder/$1.json"
}
run ours "$ours"
run newest "$newest"

node -e '
  const [ours, newest] = process.argv.slice(1).map((file) => JSON.parse(fs.readFileSync(file, "utf8")));
  const names = Object.keys({ ...ours.rows, ...newest.rows });
  const count = Object.values(ours.rows).reduce((sum, rows) => sum + rows.length, 0);
  const different = names.filter((name) => !require("util").isDeepStrictEqual(ours.rows[name], newest.rows[name]));
  for (const name of different) console.log(`${name} gives other rows`);
  console.log(`${ours.statements} statements on DuckDB ${ours.version} and ${newest.version}, ${count} rows: ${different.length} differ`);
  process.exitCode = different.length === 0 && names.length > 40 ? 0 : 1;' "$folder/ours.json" "$folder/newest.json"
