#!/usr/bin/env bash
# Proves Dockerfile, compose.yaml and docker/nginx.conf on a machine without Docker: starts a Docker Engine of its own,
# builds the image, brings everything up with the real `docker compose`, and goes the README's way through it. The
# engine can pull nothing here: the base image is Debian with Node from npm, and the services are those that
# test/services/install.sh installs. Needs root. Safe to repeat. Ends with 1 where something is not as it should be,
# and with 77 where the machine lets no engine come up.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$here/../.."
# Where Debian keeps servers, which the PATH of most users leaves out.
PATH="$PATH:/usr/sbin:/sbin"

cache="${VOUCHER_PIPELINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline}"
work="$(mktemp -d "${TMPDIR:-/tmp}/voucher-pipeline-containers.XXXXXX")"
# What a user has after `git clone` and `cp .env.example .env`.
project="$work/project"
image=voucher-pipeline
version="$(node -p 'require("./package.json").version')"
passed=0

# Nothing of the user's own: no other engine, no logins, no settings.
unset "${!DOCKER_@}" "${!COMPOSE_@}" "${!BUILDX_@}"
export DOCKER_HOST="unix://$work/docker.sock" DOCKER_CONFIG="$work/docker-config"

source "$here/engine.sh"
source "$here/bases.sh"
source "$here/image.sh"
source "$here/system.sh"

main() {
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  require_programs
  copy_project

  step "the base images"
  make_bases
  # The build needs the machine's network, for npm's registry. Everything after it needs none, and has none.
  engine_start
  step "the build"
  build_image
  engine_stop

  engine_start --net
  step "the image"
  prove_rights_and_contents
  prove_runs_in_folders
  prove_signals_and_health
  print_sizes

  step "the system"
  prove_compose_file
  prove_start
  walk_through
  prove_least_rights
  prove_console
  prove_storage
  prove_restarts
  prove_seaweedfs
}

finish() {
  local status=$?
  trap - EXIT
  if [ "$status" -eq 0 ]; then
    echo "$passed passed, 0 failed"
  else
    echo "FAILED: ${current:-to begin}" >&2
    [ -z "${engine:-}" ] || in_project docker compose logs --tail 15 >&2 || true
  fi
  [ -z "${extension_server:-}" ] || kill "$extension_server" || true
  engine_stop
  rm -rf --one-file-system "$work"
  exit "$status"
}

step() {
  current="$*"
  since=$SECONDS
  echo "== $*"
}

proved() {
  passed=$((passed + 1))
  echo "   $* ($((SECONDS - since)) s)"
  since=$SECONDS
}

fail() {
  echo "   $*" >&2
  exit 1
}

# expect WHAT EXPECTED ACTUAL
expect() { [ "$2" = "$3" ] || fail "$1: expected «$2», got «$3»"; }

# expect_match WHAT PATTERN ACTUAL
expect_match() { grep -Eq -- "$2" <<<"$3" || fail "$1: expected /$2/ in «$3»"; }

in_project() { (cd "$project" && "$@"); }
in_seaweedfs() { in_project env COMPOSE_FILE=compose.yaml:docker/seaweedfs/compose.yaml "$@"; }

require_programs() {
  local program
  [ "$(id -u)" -eq 0 ] || fail "only root can start a Docker Engine"
  for program in docker dockerd debootstrap npm curl nsenter ip \
    "$cache"/bin/{docker-compose,minio,mc,weed} "$cache/mysql/mysqld"; do
    command -v "$program" >/dev/null || fail "$program is not there: run test/services/install.sh"
  done
  mkdir -p "$DOCKER_CONFIG/cli-plugins"
  ln -s "$cache/bin/docker-compose" "$DOCKER_CONFIG/cli-plugins/docker-compose"
}

copy_project() {
  mkdir "$project"
  # With what is not committed yet, and without what is removed but not yet so in the index.
  git ls-files -z --cached --others --exclude-standard |
    tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract --directory "$project"
  in_project cp .env.example .env
}

main
