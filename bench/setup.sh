#!/usr/bin/env bash
# Installs the contenders dbt-duckdb and PySpark from PyPI, into an environment of their own: Python 3.11 or newer, and Java 17
# for PySpark. Does nothing where they are there. Prints the folder of the environment.
set -euo pipefail
requirements="$(dirname "${BASH_SOURCE[0]}")/contenders/requirements.txt"
environment="${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline/bench"
# A copy that is made last says that everything in it is installed.
installed="$environment/installed.txt"

if ! cmp --silent "$requirements" "$installed"; then
  python3 -m venv --clear "$environment"
  "$environment/bin/pip" install --quiet --requirement "$requirements"
  cp "$requirements" "$installed"
fi
echo "$environment"
