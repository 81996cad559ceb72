#!/usr/bin/env bash
# Installs Schemathesis, at the version that is known to pass, into the user's cache. Done before, it does nothing.
set -euo pipefail

VERSION=4.32.5
FOLDER="${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline/schemathesis-$VERSION"

if [ ! -x "$FOLDER/bin/st" ]; then
  rm -rf "$FOLDER"
  python3 -m venv "$FOLDER"
  "$FOLDER/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION"
fi
echo "$FOLDER/bin/st"
