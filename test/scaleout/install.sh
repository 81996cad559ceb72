#!/usr/bin/env bash
# Installs what the tests on a cluster need: Spark from PyPI, in the environment that the bench has, from Maven what it lacks for S3, and
# the optional package for Kerberos, in the project's node_modules. Needs Java 17 with its compiler, Maven, Python 3.11 or newer, a C++
# compiler, and the Debian packages of test/services/install.sh. Safe to repeat.
set -euo pipefail
project="$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")"
cd "$(dirname "${BASH_SOURCE[0]}")/../../docker/spark"

cache="$(realpath --canonicalize-missing "${VOUCHER_PIPELINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/voucher-pipeline}")/spark"
mkdir -p "$cache"

commands="$(../../bench/setup.sh)"
home="$("$commands/python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')"
ln --symbolic --force --no-dereference "$home" "$cache/home"

hadoop="$(sed -n '/<artifactId>hadoop-aws</{n;s/ *<version>\(.*\)<\/version>/\1/p}' pom.xml)"
[ -e "$home/jars/hadoop-client-api-$hadoop.jar" ] ||
  { echo "pom.xml names hadoop-aws $hadoop, and Spark has $(basename "$home"/jars/hadoop-client-api-*)" >&2; exit 1; }

if ! cmp --silent pom.xml "$cache/s3a/pom.xml"; then
  rm -rf "$cache/s3a"
  mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory="$cache/s3a"
  # Made last, it says that all are there.
  cp pom.xml "$cache/s3a/pom.xml"
fi

# Its own script would ask GitHub for a binary before it compiles one.
kerberos="$cache/kerberos/$(node -p 'require(process.argv[1]).peerDependencies.kerberos.slice(1)' "$project/package.json")"
if ! [ -e "$kerberos/node_modules/kerberos/build/Release/kerberos.node" ]; then
  mkdir -p "$kerberos"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$kerberos" "kerberos@$(basename "$kerberos")"
  (
    cd "$kerberos/node_modules/kerberos"
    "$(npm root --global)/npm/bin/node-gyp-bin/node-gyp" rebuild --silent --nodedir "$(node -p 'path.resolve(process.execPath, "../..")')" >/dev/null
  )
fi
ln --symbolic --force --no-dereference "$kerberos/node_modules/kerberos" "$project/node_modules/kerberos"
