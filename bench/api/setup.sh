#!/usr/bin/env bash
# Installs what the original service's way needs from PyPI.
here="$(dirname "$0")"
exec "$here/../../test/python-packages.sh" bench-api "$here/contenders/original-requirements.txt" --no-deps --only-binary :all:
