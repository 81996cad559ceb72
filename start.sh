#!/bin/sh
# Starts a program of dist/ for npm, or says why there is none.
if [ ! -e dist/cli/main.js ]; then
  echo "error MACHINE_NOT_USABLE: the programs are not built; run 'npm ci' in $PWD, which also builds them" >&2
  exit 2
fi
# The signals that npm passes on must reach Node, and not a shell.
exec node "$@"
