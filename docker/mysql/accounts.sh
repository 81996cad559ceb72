# shellcheck shell=bash
# The image of MySQL reads this once, when it makes the database. The names and passwords of the two accounts are in their URLs, of
# letters, digits and hyphens. docs/operating.md says why these rights are enough.
create_account() {
  local login
  login="$(cat "/run/secrets/$1")"
  login="${login#mysql://}"
  login="${login%%@*}"
  docker_process_sql <<SQL
CREATE USER '${login%%:*}'@'%' IDENTIFIED BY '${login#*:}';
GRANT $2 ON \`$MYSQL_DATABASE\`.* TO '${login%%:*}'@'%';
SQL
}
create_account pipeline_consumption_url "SELECT, INSERT, UPDATE, DELETE, CREATE"
create_account api_consumption_url SELECT
