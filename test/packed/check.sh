#!/usr/bin/env bash
# Packs the project, installs the package as a user does, and runs the README's two commands in it, on this Node and on each other one
# whose binary is named: test/packed/check.sh [NODE…]
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

package="$(npm pack --silent --ignore-scripts --pack-destination "$folder")"
echo '{ "private": true }' >"$folder/package.json"
npm install --silent --no-audit --no-fund --ignore-scripts --prefer-offline --prefix "$folder" "$folder/$package"

for node in "$(command -v node)" "$@"; do
  echo "-- Node $("$node" --version)"
  PATH="$(dirname "$node"):$PATH" test/readme-commands.sh "$folder/node_modules/voucher-pipeline"
done
# By its name, in the folder of a user, which has no raw files yet.
cd "$folder"
npx --no-install pipeline sample --to-raw
npx --no-install pipeline --execution-date 2020-05-29 | grep 'are published'
