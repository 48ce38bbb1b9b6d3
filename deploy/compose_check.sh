#!/usr/bin/env bash
# Proves compose.yml without a Docker engine: podman and Compose v2 build the images from the repository, start all,
# wait until they are healthy, make calls, kill the front end and an rtpengine and replace the front end during a call,
# and take everything down again. Needs root and Debian 12.
#   make compose-check          the ports of the check lie apart from the demo's, so both may run
set -Eeuo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
work=${WORK:-${XDG_CACHE_HOME:-$HOME/.cache}/ari-bridge/compose-check}
mkdir -p "$work"/{etc/networks,store,run,docker/cli-plugins,apt/state/lists/partial,apt/cache/archives/partial,debs,base/ca}
log=$work/check.log; : >"$log"; rm -f "$work/services.log"
export DEBIAN_FRONTEND=noninteractive
begin=$SECONDS
step() { echo "  … $* ($((SECONDS - begin)) s)"; echo "== $*" >>"$log"; }
failed() {
  echo "  ✗ failed; the end of $log:"; tail -25 "$log"
  [ ! -e "$work/services.log" ] || { echo "  the end of $work/services.log:"; tail -25 "$work/services.log"; }
}
trap failed ERR

export HTTP_PORT=${HTTP_PORT:-13000} WS_PORT=${WS_PORT:-18080} ARI_PORT=${ARI_PORT:-18088}
export SIP_PORT=${SIP_PORT:-15060} TRUNK_PORT=${TRUNK_PORT:-15070} NG_PORT=${NG_PORT:-12223} NG_PORT_2=${NG_PORT_2:-12233}
ARI_PASSWORD=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'); export ARI_PASSWORD

step podman
missing=()
for package in podman buildah runc conmon netavark aardvark-dns catatonit uidmap mmdebstrap iptables curl; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get -q update >>"$log" 2>&1
  apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1
fi

# The mirrors are the machine's own.
uri() { apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(IDENTIFIER)' | awk -v r="$1" '$3=="Packages" && $2==r {print $1; exit}'; }
debian=$(uri bookworm); security=$(uri bookworm-security)

step 'Compose v2'
compose=$work/docker/cli-plugins/docker-compose
if [ ! -x "$compose" ]; then
  # Debian 12 has the first version only: this one is taken out of the next release's package.
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $debian trixie main" >"$work/apt/sources.list"
  apart=(-o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$work/apt/state"
    -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=root)
  apt-get "${apart[@]}" -qq update >>"$log" 2>&1
  (cd "$work/debs" && apt-get "${apart[@]}" -qq download docker-compose >>"$log" 2>&1)
  dpkg-deb --fsys-tarfile "$work"/debs/docker-compose_*.deb |
    tar -xO ./usr/libexec/docker/cli-plugins/docker-compose >"$compose.unfinished"
  chmod +x "$compose.unfinished"; mv "$compose.unfinished" "$compose"
fi

cat >"$work/etc/storage.conf" <<EOF
[storage]
driver = "overlay"
graphroot = "$work/store"
runroot = "$work/run"
EOF
cat >"$work/etc/containers.conf" <<EOF
[network]
network_backend = "netavark"
network_config_dir = "$work/etc/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
compat_api_enforce_docker_hub = false
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=32768:32768"]
log_driver = "k8s-file"
EOF
# Short image names mean the images made here, never a registry's.
printf 'unqualified-search-registries = ["localhost"]\nshort-name-mode = "permissive"\n' >"$work/etc/registries.conf"
export CONTAINERS_STORAGE_CONF="$work/etc/storage.conf" CONTAINERS_CONF="$work/etc/containers.conf"
export CONTAINERS_REGISTRIES_CONF="$work/etc/registries.conf" BUILDAH_FORMAT=docker DOCKER_CONFIG="$work/docker" DOCKER_BUILDKIT=0

# No image registry is needed: the base images are made here, under the names that the Dockerfiles use.
has_image() { podman image exists "$1"; }
base_image() {
  has_image "debian:$1-slim" && return
  step "base image: Debian $1"
  mmdebstrap --quiet --variant=minbase --mode=root --include=ca-certificates \
    --aptopt='Acquire::Check-Valid-Until "false"' "$1" - "deb $debian $1 main" "deb $security $1-security main" 2>>"$log" |
    podman import -q -c 'CMD ["bash"]' - "debian:$1-slim" >>"$log" 2>&1
}
base_image bookworm; base_image bullseye
python_image=python:3.11-slim-bookworm
if ! has_image $python_image; then
  step 'base image: Python 3.11'
  cp /usr/local/share/ca-certificates/*.crt "$work/base/ca/" 2>/dev/null || true
  cat >"$work/base/Dockerfile" <<'EOF'
FROM debian:bookworm-slim
COPY ca/ /usr/local/share/ca-certificates/
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv python3-pip && update-ca-certificates \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s /usr/bin/python3 /usr/local/bin/python \
 && ln -s /usr/bin/python3 /usr/local/bin/python3 && rm -rf /var/lib/apt/lists/*
CMD ["python3"]
EOF
  podman build -q --pull=never --network=host -t $python_image "$work/base" >>"$log" 2>&1
fi

step 'engine'
rm -f "$work/podman.sock"
podman system service --time=0 "unix://$work/podman.sock" >>"$log" 2>&1 & engine=$!
# podman leaves health checks to systemd timers; here this loop runs them.
(
  while sleep 1; do
    for container in $(podman ps -q 2>/dev/null); do
      podman healthcheck run "$container" >/dev/null 2>&1 || true
    done
  done
) & ticker=$!
up=
finish() {
  [ -z "$up" ] || docker_compose down -v -t 2 >>"$log" 2>&1 || true
  kill "$ticker" "$engine" 2>/dev/null || true
  wait "$ticker" "$engine" 2>/dev/null || true
}
trap finish EXIT
for _ in $(seq 50); do [ -S "$work/podman.sock" ] && break; sleep .1; done
export DOCKER_HOST="unix://$work/podman.sock"
docker_compose() { "$compose" -p ari-bridge-check -f "$project/compose.yml" "$@"; }

cd "$project"
step 'compose.yml is valid'; docker_compose config -q >>"$log" 2>&1
step 'build'; docker_compose build >>"$log" 2>&1
step 'up, until healthy'; up=yes; docker_compose up -d --no-build --pull never >>"$log" 2>&1
healthy() {
  for _ in $(seq 60); do
    curl --noproxy '*' -sf "http://127.0.0.1:$HTTP_PORT/health" >>"$log" 2>&1 && return
    sleep 0.5
  done
  docker_compose ps -a >>"$log" 2>&1
  docker_compose logs --no-color >"$work/services.log" 2>&1
  return 1
}
healthy
docker_compose ps -a >>"$log" 2>&1
if [ -x "$project/.venv/bin/ari-bridge" ]; then
  step 'a call to 601 is heard'
  "$project/.venv/bin/ari-bridge" call 601 --url "ws://127.0.0.1:$HTTP_PORT/ws" --expect-tone 1004 >>"$log" 2>&1
  command="'$compose' -p ari-bridge-check -f '$project/compose.yml'"
  outlives() { # what, the command that does it
    step "a call outlives $1"
    "$project/.venv/bin/python" -m tests.fault_check --url "ws://127.0.0.1:$HTTP_PORT/ws" --seconds 10 "$2" >>"$log" 2>&1 ||
      { docker_compose logs --no-color >"$work/services.log" 2>&1; false; }
    echo "      $(tail -1 "$log")"
    healthy
  }
  # As a death comes, without a word to the engine: everything in the container but its first process.
  die="sh -c 'kill -9 -1' || true"
  outlives 'the death of the front end' "$command exec -T frontend $die"
  outlives 'the death of an rtpengine' "$command exec -T rtpengine $die"
  outlives 'the death of the other rtpengine' "$command exec -T rtpengine-2 $die"
  outlives 'a new front end' "$command up -d --no-build --pull never --no-deps --force-recreate frontend"
fi
step 'the journal of the call store outlives its container'
docker_compose exec -T frontend sh -c 'test "$(stat -f -c %T /state/journal)" = tmpfs && echo kept >/state/journal/check' >>"$log" 2>&1
docker_compose up -d --no-build --pull never --no-deps --force-recreate frontend >>"$log" 2>&1
healthy
docker_compose exec -T frontend grep -q kept /state/journal/check >>"$log" 2>&1
step 'down'; docker_compose down -v >>"$log" 2>&1; up=
left=$(podman ps -aq | wc -l)
[ "$left" -eq 0 ] || { echo "  ✗ $left containers are left"; exit 1; }
volumes=$(podman volume ls -q | wc -l)
[ "$volumes" -eq 0 ] || { echo "  ✗ $volumes volumes are left"; exit 1; }
echo "  ✓ compose.yml builds, starts healthy and stops clean ($((SECONDS - begin)) s)"
