#!/bin/bash
# Does with the variables of MySQL's own image what that one does, as far as compose.yaml uses them.
set -eu
data=/var/lib/mysql
accounts=/tmp/accounts.sql
mkdir -p /run/mysqld

# Only once, as in MySQL's own image.
if [ ! -d "$data/mysql" ]; then
  cat >"$accounts" <<SQL
ALTER USER 'root'@'localhost' IDENTIFIED BY '$(cat "$MYSQL_ROOT_PASSWORD_FILE")';
CREATE DATABASE $MYSQL_DATABASE;
SQL
  docker_process_sql() { cat >>"$accounts"; }
  for script in /docker-entrypoint-initdb.d/*.sh; do
    # shellcheck disable=SC1090
    source "$script"
  done
  /opt/mysql/mysqld --initialize-insecure --user=root --datadir="$data"
  set -- "$@" --init-file="$accounts"
fi
exec /opt/mysql/mysqld --user=root --datadir="$data" --socket=/run/mysqld/mysqld.sock --mysqlx=OFF \
  --secure-file-priv=NULL "$@"
