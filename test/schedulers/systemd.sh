#!/usr/bin/env bash
# Runs the command of examples/systemd as systemd would, over the sample, and has systemd read the units where it is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

units=(examples/systemd/voucher-pipeline.service examples/systemd/voucher-pipeline.timer)
if command -v systemd-analyze >/dev/null; then
  said="$(systemd-analyze verify "${units[@]}" 2>&1)"
  [ -z "$said" ] || { echo "$said"; exit 1; }
  echo "systemd understands its units"
else
  echo "no systemd here: its units are not verified"
fi

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
export RAW_ZONE="$PWD/data/raw" CURATED_ZONE="$folder/curated" PROVISION_ZONE="$folder/provision"
export CONSUMPTION_URL="sqlite:$folder/consumption.db" RUN_REPORTS="$folder/runs"
# What systemd reads as another thing stands there twice.
command="$(sed -n "s/^ExecStart=\/bin\/sh -c '\(.*\)'$/\1/p" "${units[0]}" | sed 's/\$\$/$/g; s/%%/%/g')"
/bin/sh -c "$command" | grep "^The voucher answers for $(LC_ALL=C date --utc +"%-d %B %Y") are published"
