# shellcheck shell=bash disable=SC2034,SC2154
# The image: how it is built, and what it promises. For prove.sh.

# Offline, and with no more rights than compose.yaml gives.
run() { docker run --rm "${confined[@]}" "$@"; }
confined=(--network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)

of_image() { docker image inspect --format "$1" "$image"; }

build_image() {
  docker import --change 'CMD ["node"]' "$node_base" "$node_image" >/dev/null
  serve_extension
  write_npmrc
  cat >"$work/build.yaml" <<YAML
services:
  api:
    build:
      network: host
      secrets: [npmrc]
      args: { DUCKDB_EXTENSION_REPOSITORY: "$extension_repository" }
secrets:
  npmrc: { file: "$work/npmrc" }
YAML
  in_project docker compose --file compose.yaml --file "$work/build.yaml" --progress plain build api \
    >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; fail "the build failed"; }
  proved "docker compose build, with the settings of npm as a secret"
}

# Serves the cache's extension as DuckDB's own repository does.
serve_extension() {
  local file
  file="$(cd "$cache/extensions" && echo v*/*/httpfs.duckdb_extension)"
  mkdir -p "$work/extensions/${file%/*}"
  gzip --fast --stdout "$cache/extensions/$file" >"$work/extensions/$file.gz"
  node -e '
    const server = require("node:http").createServer((request, response) => {
      const file = fs.createReadStream(process.argv[1] + request.url);
      file.on("error", () => response.writeHead(404).end()).pipe(response);
    });
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));' "$work/extensions" >"$work/port" &
  extension_server=$!
  for _ in $(seq 50); do [ -s "$work/port" ] && break; sleep 0.1; done
  extension_repository="http://127.0.0.1:$(cat "$work/port")"
}

# Where this machine's npm finds packages, and which authorities it trusts; no logins.
write_npmrc() {
  local authorities
  registry="$(npm config get registry 2>/dev/null)"
  authorities="$(npm config get cafile 2>/dev/null)"
  echo "registry=$registry" >"$work/npmrc"
  [ ! -f "$authorities" ] || node -e '
    const pem = fs.readFileSync(process.argv[1], "utf8");
    for (const one of pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g))
      console.log("ca[]=" + JSON.stringify(one));' "$authorities" >>"$work/npmrc"
}

prove_rights_and_contents() {
  local name host settings
  expect "the user" 1000:1000 "$(of_image '{{.Config.User}}')"
  expect "id -u" 1000 "$(run "$image" id -u)"
  expect "NODE_ENV" production "$(run "$image" printenv NODE_ENV)"
  expect "--version" "$version" "$(run "$image" node dist/cli/main.js --version)"
  expect "--version of the short name" "$version" "$(run "$image" pipeline --version)"
  expect "the label" "$version" "$(of_image '{{index .Config.Labels "org.opencontainers.image.version"}}')"
  expect_match "--help" 'Curate, aggregate and publish one date' "$(run "$image" node dist/cli/main.js --help)"
  proved "user 1000, production, --help and --version, on Node $(run "$image" node --version)"

  # The tests need the peer of a Spark, too, which the image has so that its user need not install it.
  run "$image" test -e node_modules/hive-driver || fail "a Spark cannot be used, hive-driver is not in the image"
  for name in $(node -p 'Object.keys(require("./package.json").devDependencies).filter((name) => name !== "hive-driver").join(" ")'); do
    run "$image" test ! -e "node_modules/$name" || fail "the development dependency $name is in the image"
  done
  for name in src package-lock.json .env data/raw node_modules/{@aws-sdk,@types,kysely,zod}; do
    run "$image" test ! -e "$name" || fail "$name is in the image"
  done
  settings=(-e "registry=$registry" -e 'ca[]=')
  host="$(node -p 'new URL(process.argv[1]).host' "$registry")"
  # The public registry, which is npm's own default, is named by packages that are published there.
  [ "$(run "$image" npm config get registry)" = "$registry" ] || settings+=(-e "$host")
  expect "files with the settings of npm" "" \
    "$(run --user 0 "$image" grep -rlF "${settings[@]}" /app /opt /data /home /root /etc /run /tmp 2>/dev/null || true)"
  expect "history with the settings of npm" "" \
    "$(docker history --no-trunc "$image" | grep -F "${settings[@]}" || true)"
  proved "no development dependency, nothing twice, no setting of the build"
}

prove_runs_in_folders() {
  local date=2020-05-29T00:00:00
  docker volume create lake >/dev/null
  expect_match "the sample" '9000 rows' "$(run --volume lake:/data "$image" node dist/cli/main.js sample --to-raw)"
  expect_summary "$(run --volume lake:/data "$image" node dist/cli/main.js --execution-date "$date")"
  docker volume rm lake >/dev/null
  docker volume create lake >/dev/null
  expect_summary "$(run -v lake:/data -v "$project/data/raw:/data/raw:ro" "$image" pipeline -e "$date")"
  proved "whole runs in folders, as that user, without a network, on a sample of its own and on the committed one"
}

# expect_summary REPORT [END-OF-THE-FIRST-SENTENCE]
expect_summary() {
  expect_match "the row accounting" '17,890 of 20,000 rows are used; 2,110 ' "$1"
  expect_match "the publication" "The voucher answers for 29 May 2020 ${2:-are published}" "$1"
}

prove_signals_and_health() {
  local check
  docker run --detach --name one "${confined[@]}" --health-interval 1s --volume lake:/data "$image" >/dev/null
  for _ in $(seq 60); do [ "$(health_of one)" = healthy ] && break; sleep 0.5; done
  expect "the health of the api" healthy "$(health_of one)"
  expect "the first process" "node --max-semi-space-size=2 --v8-pool-size=1 dist/api/main.js " "$(docker exec one sh -c "tr '\0' ' ' </proc/1/cmdline")"
  expect "the exit code of the api" 0 "$(stopped one)"
  proved "the api is healthy, is the first process, and ends by SIGTERM with 0"

  check="$(of_image '{{json .Config.Healthcheck.Test}}' | node -p 'JSON.parse(fs.readFileSync(0, "utf8")).at(-1)')"
  ! run "$image" node -e "$check" || fail "the health check passes without an api"
  docker run --detach --name two "${confined[@]}" "$image" pipeline sample --rows 500000000 --out /tmp/sample >/dev/null
  sleep 2
  expect "the exit code of the pipeline" 143 "$(stopped two)"
  proved "no health without an api; the pipeline ends by SIGTERM with 143"
}

health_of() { docker inspect --format '{{.State.Health.Status}}' "$1"; }

# Stops a container and prints with what it ended.
stopped() {
  docker stop --time 20 "$1" >/dev/null
  docker wait "$1"
  docker rm "$1" >/dev/null
}

print_sizes() {
  local whole base
  whole="$(of_image '{{.Size}}')"
  base="$(docker image inspect --format '{{.Size}}' "$node_image")"
  echo "   size: $((whole / 1000000)) MB, of which the base image is $((base / 1000000)) MB; in MB:"
  run "$image" sh -c '
    du -BM -d 0 dist sql /opt/duckdb node_modules
    du -BM -d 1 node_modules | sort -rn | sed -n 2,5p' | sed 's/^/   /'
}
