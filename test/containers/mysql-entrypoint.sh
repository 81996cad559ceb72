#!/bin/sh
# Does with the variables of MySQL's own image what that one does, as far as compose.yaml uses them.
set -eu
data=/var/lib/mysql
accounts=/tmp/accounts.sql
mkdir -p /run/mysqld

cat >"$accounts" <<SQL
ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
CREATE DATABASE IF NOT EXISTS $MYSQL_DATABASE;
CREATE USER IF NOT EXISTS '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON $MYSQL_DATABASE.* TO '$MYSQL_USER'@'%';
SQL
[ -d "$data/mysql" ] || /opt/mysql/mysqld --initialize-insecure --user=root --datadir="$data"
exec /opt/mysql/mysqld --user=root --datadir="$data" --socket=/run/mysqld/mysqld.sock --mysqlx=OFF \
  --secure-file-priv=NULL --init-file="$accounts" "$@"
