#!/usr/bin/env bash
# Builds both images and tests them as their user: demo, a notebook, JupyterLab with and without its token, and the
# CUDA plugin (up to the point where it needs a GPU). Uses Docker, Podman or buildah, the first that is installed.
# From any folder:
#
#   docker/check.sh
#
# ENGINE=buildah              selects an engine; buildah needs no daemon (as root: STORE="--storage-driver vfs",
#                             ISOLATION=chroot)
# BUILD_FLAGS="..."           passes the machine's settings to the builds, as in --build-arg HTTPS_PROXY=...; without an
#                             image registry, --build-arg GO_IMAGE=local/golang:1.26.8 --build-arg
#                             BASE_IMAGE=local/debian:12: the first needs Go in /usr/local/go, the second may come from
#                             debootstrap
# BUILD=no                    tests existing images
set -euo pipefail
cd "$(dirname "$0")/.."

engine=${ENGINE:-$(for e in docker podman buildah; do command -v "$e" >/dev/null && echo "$e" && break; done || true)}
[ -n "$engine" ] || { echo "check.sh: found neither docker, podman nor buildah: install one" >&2; exit 1; }
read -ra store <<<"${STORE:-}"
read -ra flags <<<"${BUILD_FLAGS:-}"
isolation=()
if [ "$engine" = buildah ]; then
	isolation=(--isolation "${ISOLATION:-chroot}")
	flags+=("${isolation[@]}" --format docker) # the OCI format has no health checks
fi

build() { # image, file
	[ "${BUILD:-yes}" = yes ] || return 0
	"$engine" "${store[@]}" build "${flags[@]}" -t "$1" -f "$2" "${@:3}" .
}

in_image() { # image, command for bash
	if [ "$engine" != buildah ]; then
		"$engine" run --rm "$1" bash -ec "$2"
		return
	fi
	local container status=0
	container=$(buildah "${store[@]}" from "$1")
	buildah "${store[@]}" run "${isolation[@]}" "$container" -- bash -ec "$2" || status=$?
	buildah "${store[@]}" rm "$container" >/dev/null
	return "$status"
}

build captionlab docker/Dockerfile
build captionlab-cuda docker/Dockerfile.cuda --build-arg CPU_IMAGE="${CPU_IMAGE:-captionlab}"
"$engine" "${store[@]}" images | grep -E 'SIZE|captionlab'

echo "== user, demo"
in_image captionlab 'test "$(id -u)" = 1000; captionlab demo --out results/demo; test -s results/demo/index.html'
echo "== notebook"
in_image captionlab 'python notebooks/execute.py --dataset shapes --small 01-data'
echo "== JupyterLab: healthy, refuses access without the token, grants it with the token, stops on request"
in_image captionlab '
	export JUPYTER_TOKEN=try-me JUPYTER_PORT=8899
	jupyter lab --ip=127.0.0.1 --no-browser --ServerApp.port_retries=0 \
		--ServerApp.root_dir=/captionlab/notebooks >/tmp/lab.log 2>&1 &
	lab=$!
	status() { python3 -c "
import sys, urllib.error, urllib.request
try: print(urllib.request.urlopen(sys.argv[1], timeout=8).status)
except urllib.error.HTTPError as e: print(e.code)
except OSError: print(0)" "http://127.0.0.1:$JUPYTER_PORT$1"; }
	for i in $(seq 60); do test "$(status /api)" = 200 && break; sleep 1; done
	test "$(status /api)" = 200 || { cat /tmp/lab.log; exit 1; }
	test "$(status /api/contents)" = 403
	test "$(status "/api/contents?token=$JUPYTER_TOKEN")" = 200
	kill "$lab"
	for i in $(seq 20); do kill -0 "$lab" 2>/dev/null || exit 0; sleep 1; done
	echo "JupyterLab did not stop"; exit 1'
echo "== CUDA: the plugin finds its libraries and reports a missing GPU"
in_image captionlab-cuda '
	python3 -c "import ctypes; ctypes.CDLL(\"/usr/local/lib/go-xla/nvidia/pjrt_c_api_cuda_plugin.so\")"
	if ls /dev/nvidia* >/dev/null 2>&1; then captionlab demo --out results/demo; else
		# By its path, because go-xla offers "cuda" only if it finds a GPU.
		plugin=/usr/local/lib/go-xla/nvidia/pjrt_c_api_cuda_plugin.so
		output=$(GOMLX_BACKEND=xla:$plugin captionlab features --dataset shapes 2>&1) && exit 1
		echo "$output"; grep -q "No visible GPU devices" <<<"$output"
		GOMLX_BACKEND= captionlab demo --out results/demo >/dev/null 2>&1
	fi'
echo "docker/check.sh: 4 passed, 0 failed"
