#!/usr/bin/env bash
# Installs what the original service's way needs from PyPI, into an environment of its own. Does nothing where it is there.
set -euo pipefail
requirements="$(dirname "${BASH_SOURCE[0]}")/contenders/original-requirements.txt"
environment="${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline/bench-api"
# A copy that is made last says that everything in it is installed.
installed="$environment/installed.txt"

cmp --silent "$requirements" "$installed" && exit
python3 -m venv --clear "$environment"
"$environment/bin/pip" install --quiet --no-deps --only-binary :all: --requirement "$requirements"
cp "$requirements" "$installed"
