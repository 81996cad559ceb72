#!/usr/bin/env bash
# Runs every example of a scheduler.
set -euo pipefail
cd "$(dirname "$0")"

for scheduler in cron systemd kubernetes airflow; do
  echo "-- $scheduler"
  "./$scheduler.sh"
done
