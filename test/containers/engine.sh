# shellcheck shell=bash disable=SC2154
# A Docker Engine apart from the machine's: with images of its own, and a network without a way out. For prove.sh.

cgroup="voucher-pipeline-$$"
engine=

# engine_start [--net]: with --net in a network of its own, without in the machine's, where containers have none.
engine_start() {
  local network=(--bridge=none --iptables=false --ip-forward=false --ip-masq=false)
  [ "${1:-}" = --net ] && network=(--bip=172.31.250.1/24)
  mkdir -p "$work/docker" /run/docker
  echo '{}' >"$work/daemon.json"
  # The bash in it is the first process of its namespace: when it ends, the kernel ends all that the engine has started.
  setpriv --pdeathsig KILL unshare ${1:+"$1"} --mount --pid --fork --kill-child --mount-proc bash -c '
    ip link set lo up
    mount -t tmpfs tmpfs /run/docker
    dockerd "$@" & wait' engine \
    --config-file="$work/daemon.json" --host="$DOCKER_HOST" --pidfile="$work/docker.pid" --data-root="$work/docker" \
    --exec-root=/run/docker --cgroup-parent="/$cgroup" --exec-opt=native.cgroupdriver=cgroupfs \
    "${network[@]}" >"$work/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 150); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$work/dockerd.log" >&2
  # Not of the project's making: it takes rights that not every machine gives.
  echo "SKIPPED: no Docker Engine comes up on this machine" >&2
  exit 77
}

engine_stop() {
  [ -n "$engine" ] || return 0
  pkill -KILL --parent "$engine" || true
  wait "$engine" 2>/dev/null || true
  engine=
  rm -f "$work/docker.sock" "$work/docker.pid"
  # The kernel takes a moment to see that they are empty.
  for _ in $(seq 25); do
    find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -maxdepth 3 -name "$cgroup")" ] || break
    sleep 0.2
  done
}

# Runs a command on the machine, but in the network of the engine.
in_network() { nsenter --target "$(pgrep --parent "$engine")" --net "$@"; }
