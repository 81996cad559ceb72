# shellcheck shell=bash disable=SC2154
# compose.yaml and docker/nginx.conf: everything together, as a user has it. For prove.sh.

# A command as a user types it.
typed() { in_project in_network bash -c "$1"; }
sql() { typed "docker compose exec mysql mysql -uuser -ppassword db -e \"$1\""; }
web() { in_network curl --silent "$@"; }
status_of() { web --output /dev/null --write-out '%{http_code}' "$@"; }

prove_compose_file() {
  in_project docker compose --profile '*' config --format json >"$work/compose.json" 2>"$work/compose.log"
  expect "warnings" "" "$(cat "$work/compose.log")"
  node "$here/check-compose.mjs" compose.yaml "$work/compose.json" "$(of_image '{{json .Config.Healthcheck}}')"
  expect_match "without .env" 'set it in .env' "$(in_project docker compose --env-file /dev/null config 2>&1 || true)"
  proved "docker compose $(docker compose version --short) takes it: health checks, order, rights, no secret in it"
}

prove_start() {
  make_service_images
  expect "ways out of the network" "" "$(in_network ip route show default)"
  up
  local id
  for id in $(in_project docker compose ps --quiet api nginx); do
    expect_match "rights in $id" $'^CapEff:\t0+$' "$(docker exec "$id" cat /proc/1/status)"
    expect_match "rights in $id" $'^NoNewPrivs:\t1$' "$(docker exec "$id" cat /proc/1/status)"
    ! docker exec "$id" touch /etc/here 2>/dev/null || fail "$id can change its own files"
  done
  proved "docker compose up: $(versions) and the api are healthy; nginx and the api without any right"
}

versions() {
  local of=(docker run --rm services)
  echo "MinIO $(cut -d - -f 2 "$cache/versions/minio")," \
    "nginx $("${of[@]}" nginx -v 2>&1 | sed 's#.*nginx/##')," \
    "MySQL $("${of[@]}" /opt/mysql/mysqld --version | sed -E 's/.*Ver ([0-9.]+).*/\1/')"
}

up() {
  in_project docker compose up --detach --wait >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "up failed"; }
  expect "what runs" "api healthy,mysql healthy,nginx healthy,s3 healthy" \
    "$(in_project docker compose ps --format '{{.Service}} {{.Health}}' | sort | paste -sd,)"
}

# The README's way, command by command.
walk_through() {
  local answer
  expect "the console" 200 "$(status_of http://localhost:9001)"
  expect "tables before a run" "" "$(sql 'show tables')"
  expect "the api" '{"Hello":"World!!"}' "$(typed 'curl http://localhost:81/ 2>/dev/null')"
  expect_summary "$(typed "docker compose run --rm pipeline --execution-date '2020-05-29T00:00:00' 2>'$work/run.log'")"
  proved "docker compose run --rm pipeline: from S3 behind nginx into MySQL, without the internet"

  answer="$(sql 'show tables')"
  expect_match "tables" '^voucher_frequent_most_used$' "$answer"
  expect_match "tables" '^voucher_recency_most_used$' "$answer"
  expect "the frequent segments of Peru" "0-4 2640,13-37 2640,37+ 2640,5-13 2640" "$(of_peru frequent)"
  expect "the recency segments of Peru" \
    "0-30 2640,120-180 2640,180+ 2640,30-60 2640,60-90 2640,90-120 2640" "$(of_peru recency)"
  answer="$(grep -m1 "^curl 'http://[^/]*/voucher/most-used" README.md | sed -E 's#http://[^/]+#http://localhost:81#')"
  expect "the voucher for a customer" '{"voucher_amount":2640}' "$(typed "$answer 2>/dev/null")"
  proved "the tables in MySQL, and the api's answer from them"
}

of_peru() {
  sql "select * from voucher_$1_most_used where country_code='Peru';" | sed 1d | cut -f 2,3 | tr '\t' ' ' | paste -sd,
}

# Of MinIO and MySQL the pipeline and the api have no more rights than they need, and secrets only as files.
prove_least_rights() {
  local said id
  as_account() { typed "docker compose run --rm --entrypoint bash buckets -c 'export MC_HOST_own=\"http://$1:\$(cat /run/secrets/s3_$1_secret_key)@s3:9000\"; $2' 2>&1" || true; }
  for said in "mc cp /etc/hostname own/data/zone_01_raw/x" "mc rm own/data/zone_01_raw/vouchers/vouchers-late.csv" \
    "mc cp /etc/hostname own/data/x" "mc rb --force own/data" "mc mb own/other" "mc admin user list own"; do
    expect_match "pipeline: $said" 'Access Denied|Insufficient permissions' "$(as_account pipeline "$said")"
  done
  for said in "mc cp /etc/hostname own/data/zone_02_curated/x" "mc cat own/data/zone_01_raw/vouchers/vouchers-late.csv"; do
    expect_match "feed: $said" 'Access Denied|Insufficient permissions' "$(as_account feed "$said")"
  done
  expect_match "pipeline: reading" 'vouchers-late.csv' "$(as_account pipeline "mc ls own/data/zone_01_raw/vouchers/")"
  for said in "insert into publish_lock values (2, 1)" "delete from publications" "create table own (number int)" "drop table publications"; do
    expect_match "the api: $said" 'denied' "$(sql "$said" 2>&1 || true)"
  done
  said="$(typed "docker compose exec mysql mysql -upipeline -ppipeline-password db -e 'drop table publications' 2>&1" || true)"
  expect_match "the pipeline: drop table" 'denied' "$said"
  for id in $(in_project docker compose ps --all --quiet); do
    # The name of the root account of MinIO is its example password, too.
    for said in "$project"/docker/secrets.example/[!m]* "$project/docker/secrets.example/mysql_root_password"; do
      ! docker inspect "$id" | grep -qF -- "$(cat "$said")" || fail "$id shows ${said##*/}"
    done
  done
  proved "MinIO and MySQL refuse the pipeline and the api what they do not need; no container shows a secret"
}

prove_console() {
  local login="http://localhost:9001/api/v1/login" answer
  expect "another password" 401 "$(status_of --json '{"accessKey":"minioadmin","secretKey":"another"}' "$login")"
  expect "the login" 204 \
    "$(status_of --cookie-jar "$work/cookies" --json '{"accessKey":"minioadmin","secretKey":"minioadmin"}' "$login")"
  expect_match "the buckets" '"name":"data"' "$(web --cookie "$work/cookies" http://localhost:9001/api/v1/buckets)"
  answer="$(web --include --no-buffer --max-time 2 --cookie "$work/cookies" \
    --header 'Connection: Upgrade' --header 'Upgrade: websocket' --header 'Origin: http://localhost:9001' \
    --header 'Sec-WebSocket-Version: 13' --header 'Sec-WebSocket-Key: c2l4dGVlbi1ieXRlcy4uLg==' \
    http://localhost:9001/ws/objectManager | head -n 1 || true)"
  expect_match "a websocket" '^HTTP/1.1 101' "$answer"
  proved "the console through nginx: login, buckets, a websocket"
}

prove_storage() {
  local said memory connections
  connections="$(connections_to_minio)"
  said="$(in_network env AWS_ACCESS_KEY_ID=minioadmin AWS_SECRET_ACCESS_KEY=minioadmin \
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true node "$here/s3-through-nginx.mjs" http://localhost:9000)"
  # Without keep-alive there would be one more for each request.
  connections="$(($(connections_to_minio) - connections))"
  [ "$connections" -lt 10 ] || fail "nginx has opened $connections connections to MinIO"
  # What it buffers is in its memory, and so are files in its /tmp.
  memory="$(typed "docker compose exec nginx cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null ||
    docker compose exec nginx cat /sys/fs/cgroup/memory.peak")"
  [ "$memory" -lt 64000000 ] || fail "nginx has used $memory bytes of memory"
  proved "S3 through nginx: $said; $((memory / 1000000)) MB of memory"
}

# Those of nginx to port 9000, open or just closed, without those to itself.
connections_to_minio() {
  typed "docker compose exec nginx cat /proc/net/tcp" | awk '$3 ~ /:2328$/ && $3 !~ /^0100007F/' | wc -l
}

prove_restarts() {
  local raw=store/data/zone_01_raw
  up
  expect "files in the raw zone" 3 "$(typed "docker compose run --rm buckets find $raw 2>/dev/null" | wc -l)"
  typed "docker compose run --rm buckets cp $raw/vouchers/vouchers-late.csv $raw/vouchers/own.csv" >/dev/null 2>&1
  expect_match "the sample" 'nothing was written' "$(typed 'docker compose run --rm sample 2>/dev/null')"
  typed "docker compose run --rm buckets rm $raw/vouchers/own.csv" >/dev/null 2>&1
  proved "docker compose up, once more: nothing is added to the raw zone, nor beside files of one's own"

  typed "docker compose restart s3" >/dev/null 2>&1
  expect_summary "$(typed "docker compose run --rm pipeline -e 2020-05-29 2>/dev/null")" "are unchanged: readers already had this data"
  proved "the same run after a restart of MinIO: the same answers"

  typed "docker compose down" >/dev/null 2>&1
  up
  expect_match "Peru after down and up" '^0-4 2640' "$(of_peru frequent)"
  proved "docker compose down and up: the volumes keep it all"
}

# The other S3, as .env would choose it.
prove_seaweedfs() {
  local said
  typed "docker compose down" >/dev/null 2>&1
  said="$(in_seaweedfs docker compose config --quiet 2>&1)"
  expect "warnings" "" "$said"
  in_seaweedfs docker compose up --detach --wait >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "up failed"; }
  expect_summary "$(in_seaweedfs docker compose run --rm pipeline -e 2020-05-29 2>"$work/run.log")" "are unchanged: readers already had this data"
  expect_match "the pipeline: writing raw" 'AccessDenied|denied' "$(in_seaweedfs docker compose run --rm --env RAW_ZONE=s3://data/other pipeline sample --to-raw 2>&1 || true)"
  proved "the same run on SeaweedFS instead of MinIO: the same answers"
}
