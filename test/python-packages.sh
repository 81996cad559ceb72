#!/usr/bin/env bash
# test/python-packages.sh NAME REQUIREMENTS [PIP-OPTION…]: installs packages of PyPI into an environment of their own in the user's
# cache, and prints where its commands are. Does nothing where the same are installed. Needs Python 3.11 or newer.
set -euo pipefail
name="$1" requirements="$2"
shift 2

environment="${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline/python/$name"
# A copy that is made last says that everything in it is installed.
installed="$environment/installed.txt"

if ! cmp --silent "$requirements" "$installed"; then
  python3 -m venv --clear "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$@" --requirement "$requirements"
  cp "$requirements" "$installed"
fi
echo "$environment/bin"
