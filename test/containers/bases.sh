# shellcheck shell=bash disable=SC2154
# The images that the engine cannot pull here, as archives that are kept between runs. For prove.sh.

make_bases() {
  local folder="$cache/containers" major sources
  node_image="$(sed -nE 's/^ARG NODE_IMAGE=(.+)$/\1/p' Dockerfile | head -n 1)"
  major="$(sed -E 's/^node:([0-9]+).*/\1/' <<<"$node_image")"
  node_base="$folder/node-$major.tar"
  sources="$(cat "$here"/{bases,mysql-entrypoint}.sh "$cache"/versions/{minio,mc,mysql,seaweedfs} | sha256sum | cut -c 1-12)"
  services_base="$folder/services-$sources.tar"
  mkdir -p "$folder"
  [ -f "$node_base" ] || make_node_base "$major" "$node_base"
  if [ ! -f "$services_base" ]; then
    rm -f "$folder"/services-*.tar
    make_services_base "$services_base"
  fi
  proved "Debian with Node $major, and Debian with the services"
}

# As the image that the Dockerfile names is made: a small Debian, Node, npm, and a user "node".
make_node_base() {
  local root="$work/node" packages="$work/node-packages" binary
  make_debian "$root" libatomic1
  # The binary without a script that would have to run.
  binary="node-linux-$(node -p process.arch)"
  npm install --silent --no-audit --no-fund --prefix "$packages" "$binary@$1" npm
  chroot "$root" groupadd --gid 1000 node
  chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  cp "$packages/node_modules/$binary/bin/node" "$root/usr/local/bin/"
  mkdir "$root/usr/local/lib/node_modules"
  cp -r "$packages/node_modules/npm" "$root/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  pack "$root" "$2"
}

# All services in one Debian; the images differ in what they start.
make_services_base() {
  local root="$work/services"
  make_debian "$root" nginx-light,mariadb-client-core,busybox
  chroot "$root" useradd --system --uid 101 nginx
  ln -s busybox "$root/usr/bin/wget"
  cp "$cache"/bin/{minio,mc,weed} "$here/mysql-entrypoint.sh" "$root/usr/local/bin/"
  mkdir -p "$root"/opt/mysql/usr/{sbin,share} "$root/var/lib/mysql"
  cp "$cache/mysql/mysqld" "$root/opt/mysql/"
  cp "$cache/mysql/usr/sbin/mysqld" "$root/opt/mysql/usr/sbin/"
  cp -r "$cache/mysql/usr/lib" "$root/opt/mysql/usr/"
  cp -r "$cache/mysql/usr/share"/mysql* "$root/opt/mysql/usr/share/"
  pack "$root" "$1"
}

# make_debian FOLDER PACKAGES
make_debian() {
  local mirror
  # shellcheck disable=SC2016
  mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p)"
  debootstrap --variant=minbase --include="$2" bookworm "$1" "$mirror" >"$1.log" 2>&1 ||
    { tail -n 20 "$1.log" >&2; fail "debootstrap failed"; }
  rm -rf "$1"/var/cache/apt/archives "$1"/var/lib/apt/lists/* "$1"/usr/share/{doc,man,locale}
}

# Renamed when it is whole, so that what an interrupted run leaves is not taken for done.
pack() {
  tar --create --file "$2.partial" --directory "$1" --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' .
  mv "$2.partial" "$2"
  rm -rf --one-file-system "$1"
}

# An image for each name in compose.yaml that is not our own.
make_service_images() {
  local name
  docker import "$services_base" services >/dev/null
  for name in $({ in_project docker compose --profile '*' config --images; in_seaweedfs docker compose config --images; } | sort -u); do
    case "$name" in
      */minio/minio:*) as_image "$name" 'ENV MC_CONFIG_DIR=/tmp/.mc' 'VOLUME /data' 'ENTRYPOINT ["minio"]' ;;
      */minio/mc:*) as_image "$name" 'ENTRYPOINT ["mc"]' ;;
      chrislusf/seaweedfs:*) as_image "$name" 'VOLUME /data' 'ENTRYPOINT ["weed"]' ;;
      nginx:*) as_image "$name" 'CMD ["nginx", "-g", "daemon off;"]' ;;
      mysql:*) as_image "$name" 'VOLUME /var/lib/mysql' 'ENTRYPOINT ["mysql-entrypoint.sh"]' ;;
      "$image") ;;
      # It is not started here: the tests on a cluster start the same programs.
      "$image-spark") ;;
      *) fail "nothing stands in for $name" ;;
    esac
  done
}

# as_image NAME INSTRUCTION…
as_image() {
  local name="$1"
  shift
  printf '%s\n' 'FROM services' "$@" | DOCKER_BUILDKIT=0 docker build --tag "$name" - >"$work/as-image.log" 2>&1 ||
    { cat "$work/as-image.log" >&2; fail "$name cannot be made"; }
}
