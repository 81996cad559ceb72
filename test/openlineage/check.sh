#!/usr/bin/env bash
# Holds the events of real runs over the sample to OpenLineage's published schema: of whole runs, of stages that run alone, of
# a run that fails and of one that is cancelled.
set -euo pipefail
cd "$(dirname "$0")/../.."

python="$(test/python-packages.sh openlineage test/openlineage/requirements.txt)/python"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

export RAW_ZONE="$PWD/data/raw" CURATED_ZONE="$folder/curated" PROVISION_ZONE="$folder/provision"
export RUN_REPORTS="$folder/runs" CONSUMPTION_URL="sqlite:$folder/consumption.db" OPENLINEAGE_FILE="$folder/events.ndjson"

# ended CODE COMMAND…: the command must end with this code.
ended() {
  local expected="$1" code=0
  shift
  "$@" >"$folder/output.txt" 2>&1 || code=$?
  [ "$code" -eq "$expected" ] || { echo "$* ended with $code, not $expected"; cat "$folder/output.txt"; exit 1; }
}

# cancelled COMMAND…: has it stand still in the midst of a run, and ends it.
cancelled() {
  local log="$folder/cancelled.txt"
  TEST_FAILPOINT="raw files found" "$@" 2>"$log" &
  until grep -q '^failpoint raw files found' "$log" && grep -q '^State:.T' "/proc/$!/status"; do sleep 0.1; done
  kill -TERM "$!"
  kill -CONT "$!"
  wait "$!"
}

ended 0 node dist/cli/main.js -e 2020-05-29
for stage in curate aggregate publish; do ended 0 node dist/cli/main.js "$stage" -e 2020-05-28; done
ended 3 env MAX_REJECTED_SHARE=0 node dist/cli/main.js -e 2020-05-27
node --input-type=module --eval 'import { buildForTests } from "./test/build.mjs"; await buildForTests();'
ended 143 cancelled node dist-test/cli/main.js -e 2020-05-26

"$python" test/openlineage/check.py "$OPENLINEAGE_FILE"
