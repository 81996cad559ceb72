#!/usr/bin/env bash
# Installs Airflow, at the version for which examples/airflow is written, into the user's cache. Done before, it does nothing.
set -euo pipefail

VERSION=3.3.2
FOLDER="${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline/airflow-$VERSION"

if [ ! -e "$FOLDER/installed" ]; then
  rm -rf "$FOLDER"
  python3 -m venv "$FOLDER"
  "$FOLDER/bin/pip" install --quiet --disable-pip-version-check --requirement "$(dirname "$0")/airflow-requirements.txt"
  touch "$FOLDER/installed"
fi
echo "$FOLDER/bin"
