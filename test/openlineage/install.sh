#!/usr/bin/env bash
# Installs OpenLineage's own client, whose classes are made from the published schema, into the user's cache. Done before, it
# does nothing.
set -euo pipefail

VERSION=1.54.0
FOLDER="${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline/openlineage-$VERSION"

if [ ! -e "$FOLDER/installed" ]; then
  rm -rf "$FOLDER"
  python3 -m venv "$FOLDER"
  "$FOLDER/bin/pip" install --quiet --disable-pip-version-check "openlineage-python==$VERSION"
  touch "$FOLDER/installed"
fi
echo "$FOLDER/bin/python"
