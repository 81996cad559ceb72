#!/usr/bin/env bash
# Runs each line of examples/cron/crontab as cron would: by its shell, with its variables and no others, over the sample.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/home" "$folder/logs"
# The project as it would be installed, with settings beside it.
for part in dist node_modules sql package.json data; do ln -s "$PWD/$part" "$folder/home/$part"; done
cat >"$folder/home/.env" <<SETTINGS
RAW_ZONE=$PWD/data/raw
CURATED_ZONE=$folder/curated
PROVISION_ZONE=$folder/provision
CONSUMPTION_URL=sqlite:$folder/consumption.db
RUN_REPORTS=$folder/runs
SETTINGS

# Where things are here, in the place of where the example has them.
crontab="$folder/crontab"
sed -e "s#^PIPELINE_HOME=.*#PIPELINE_HOME=$folder/home#; s#^LOGS=.*#LOGS=$folder/logs#" \
  -e "s#^PATH=#PATH=$(dirname "$(command -v node)"):#" examples/cron/crontab >"$crontab"
mapfile -t variables < <(grep -E '^[A-Z_]+=' "$crontab")
mapfile -t jobs < <(grep -E '^[0-9*]' "$crontab")
shell="$(sed -n 's/^SHELL=//p' "$crontab")"

# as_cron JOB: five fields, then a command in which cron reads \% as %.
as_cron() {
  local command
  command="$(sed -E 's/^([^ ]+ ){5}//; s/\\%/%/g' <<<"$1")"
  env --ignore-environment HOME="$folder" LOGNAME="$USER" "${variables[@]}" "$shell" -c "$command"
}

expect() {
  [ "$2" = "$3" ] || { echo "$1: $2, not $3"; cat "$folder"/logs/* "$folder/mail"; exit 1; }
}

USER="${USER:-$(id -un)}"
expect "jobs" "${#jobs[@]}" 2
expect "fields that are no times" "$(printf '%s\n' "${jobs[@]}" | grep -cvE '^([0-9]+|\*) ([0-9]+|\*) ([0-9]+|\*) ([0-9]+|\*) ([0-9]+|\*) ' || true)" 0

# Before the first run the check has something to say, and cron something to send.
code=0; as_cron "${jobs[1]}" >"$folder/mail" 2>&1 || code=$?
expect "the check before the first run says" "$(cat "$folder/mail")" "no publication yet"

as_cron "${jobs[0]}" >"$folder/mail" 2>&1
expect "what a run has cron send" "$(cat "$folder/mail")" ""
today="$(LC_ALL=C date --utc +"%-d %B %Y")"
expect "publications in the log" "$(grep -c "^The voucher answers for $today are published" "$folder/logs/runs.log")" 1

as_cron "${jobs[1]}" >"$folder/mail" 2>&1
expect "what a check has cron send where all is well" "$(cat "$folder/mail")" ""
echo "cron's lines run, log, and say by mail what is to be done"
