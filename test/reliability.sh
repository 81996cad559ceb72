#!/usr/bin/env bash
# Tries to break the pipeline for as long as it takes, an hour or two, and writes what came of it into docs/reliability.md.
set -euo pipefail
cd "$(dirname "$0")/.."

RELIABILITY_RESULTS="$(mktemp -d)"
export RELIABILITY_RESULTS
trap 'rm -rf "$RELIABILITY_RESULTS"' EXIT

export CRASH_KILLS="${CRASH_KILLS:-360}" HOSTILE_RUNS="${HOSTILE_RUNS:-300}" OUTAGES=all
TEST_EVERYTHING=1 TEST_TUTORIAL=1 node test/services/run.mjs -- npm run --silent jest -- --runInBand \
  test/crash/ test/hostile/ test/services/outages/ readers
node test/reliability-report.mjs "$RELIABILITY_RESULTS" --write
