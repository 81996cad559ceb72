#!/usr/bin/env bash
# Holds the api to its OpenAPI document by all checks of Schemathesis, on every route: without a publication, with one, and
# where it asks for keys.
#   test/openapi/schemathesis.sh [requests tried for each route; 100 unless said [seed; 1 unless said]]
set -euo pipefail
cd "$(dirname "$0")/../.."

examples="${1:-100}"
seed="${2:-1}"
st="$(test/python-packages.sh schemathesis test/openapi/requirements.txt)/st"
here="$PWD/test/openapi"
folder="$(mktemp -d)"
api=""
stop() { [ -z "$api" ] || kill "$api" 2>/dev/null || true; }
trap 'stop; rm -rf "$folder"' EXIT

export RAW_ZONE="$PWD/data/raw" CURATED_ZONE="$folder/curated" PROVISION_ZONE="$folder/provision" RUN_REPORTS="$folder/runs"
export PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=hooks

# hold NAME CONFIG [OPTION…]: starts the api and holds it to what it says of itself.
hold() {
  local name="$1" config="$2" log="$folder/$1.log" port
  shift 2
  PORT=0 node --max-semi-space-size=2 --v8-pool-size=1 dist/api/main.js >"$log" &
  api=$!
  for _ in $(seq 100); do grep -q 'listening on' "$log" && break; sleep 0.1; done
  port="$(sed -nE 's#.*listening on http://127\.0\.0\.1:([0-9]+).*#\1#p' "$log")"
  echo "-- $name"
  (cd "$folder" && "$st" --config-file "$here/$config.toml" run "http://127.0.0.1:$port/openapi.json" \
    --checks all --max-examples "$examples" --seed "$seed" "$@")
  stop
  wait "$api" || true
  # What is no problem document is a bug, and its stack is in the log.
  ! grep -E '"level":(50|60)' "$log"
}

export CONSUMPTION_URL="sqlite:$folder/none.db"
hold "without a publication" without-data

export CONSUMPTION_URL="sqlite:$folder/consumption.db"
for day in 2020-05-27 2020-05-28 2020-05-29; do node dist/cli/main.js -e "$day" >/dev/null; done
hold "with publications" with-data

made="$(node dist/cli/main.js api-key schemathesis)"
{ echo "keys:"; sed -n '/- name:/,$p' <<<"$made"; } >"$folder/keys.yaml"
export API_KEYS_FILE="$folder/keys.yaml"
hold "with keys" with-data --header "Authorization: Bearer $(grep -Eo 'voucher_[A-Za-z0-9_-]+' <<<"$made")"
