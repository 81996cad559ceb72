#!/usr/bin/env bash
# Installs kubernetes-validate, which has Kubernetes' own schemas in it, into the user's cache. Done before, it does nothing.
set -euo pipefail

VERSION=1.37.0
FOLDER="${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline/kubernetes-validate-$VERSION"

if [ ! -e "$FOLDER/installed" ]; then
  rm -rf "$FOLDER"
  python3 -m venv "$FOLDER"
  "$FOLDER/bin/pip" install --quiet --disable-pip-version-check "kubernetes-validate==$VERSION"
  touch "$FOLDER/installed"
fi
echo "$FOLDER/bin/kubernetes-validate"
