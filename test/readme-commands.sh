#!/usr/bin/env bash
# Runs the README's two commands as a user types them, in the project or in the folder of a package: test/readme-commands.sh [FOLDER]
set -euo pipefail
readme="$(cd "$(dirname "$0")/.." && pwd)/README.md"
cd "${1:-$(dirname "$readme")}"
results="$(mktemp -d)"
api=
trap 'rm -rf "$results"; [ -z "$api" ] || kill -TERM -- "-$api" 2>/dev/null || true' EXIT

rm -rf data/curated data/provision data/consumption.db*
npm run --silent pipeline -- --execution-date 2020-05-29T00:00:00 | tee "$results/summary.txt"
grep -q 'The voucher answers for 29 May 2020 are published\.' "$results/summary.txt"
grep -q '17,890 of 20,000 rows are used; 2,110 ' "$results/summary.txt"

# A group of its own, so that npm, its shell and the api all end.
PORT=0 setsid npm run --silent api >"$results/api.log" &
api=$!
for _ in $(seq 100); do grep -q 'listening on' "$results/api.log" && break; sleep 0.2; done
# As it stands in the README but for the port: another service may have that one.
port="$(sed -nE 's#.*listening on http://127\.0\.0\.1:([0-9]+).*#\1#p' "$results/api.log")"
command="$(grep -m1 '^curl ' "$readme")"
answer="$(eval "${command/127.0.0.1:8000/127.0.0.1:$port} --silent --show-error")" || true
echo "$answer"
kill -TERM -- "-$api"
wait "$api" || true
[ "$answer" = '{"voucher_amount":2640}' ] || { cat "$results/api.log"; exit 1; }
