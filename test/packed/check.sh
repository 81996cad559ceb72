#!/usr/bin/env bash
# Packs the project, installs the package as a user does, and runs the README's two commands in it, on this Node and on each other one
# whose binary is named: test/packed/check.sh [NODE…]
# The package comes without hive-driver, which only a Spark needs: the last part asks for a Spark without it, and then with it.
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

# doctor_of_spark TEXT: what doctor says of a Spark that is not there has this text. Its exit code depends on the S3 extension, too.
doctor_of_spark() {
  local said
  said="$(env ENGINE=spark://127.0.0.1:9 RAW_ZONE=s3://lake/raw CURATED_ZONE=s3://lake/cur PROVISION_ZONE=s3://lake/prov \
    AWS_ENDPOINT_URL_S3=http://127.0.0.1:9 AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_REGION=us-east-1 \
    npx --no-install pipeline doctor)" || true
  grep --fixed-strings "$1" <<<"$said" || { echo "$said" >&2; return 1; }
}

echo "-- a Spark without hive-driver, and with it"
[ ! -e node_modules/hive-driver ] || { echo "hive-driver is installed, and no one has asked for it" >&2; exit 1; }
command="$(doctor_of_spark 'ENGINE_NOT_USABLE: ENGINE needs the package hive-driver, which is not installed; run: npm install hive-driver@' |
  sed 's/.*run: //')"
# As the message says, but without noise.
$command --silent --no-audit --no-fund --ignore-scripts --prefer-offline
doctor_of_spark 'ENGINE_UNAVAILABLE: Spark at 127.0.0.1:9 is not reachable'
