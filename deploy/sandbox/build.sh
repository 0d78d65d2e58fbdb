#!/usr/bin/env bash
# Makes the image that builds run in: deploy/sandbox/build.sh [name], with Podman or Docker.
#
# The tools are those of deploy/toolchain, where `npm ci` was run, and the system's static busybox.
# ENGINE says with what: ENGINE="docker --host ..." deploy/sandbox/build.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

main() {
  local image=${1:-localhost/worldloom-sandbox:latest} context
  context=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder's name is known now, and gone later
  trap "rm -rf '$context'" EXIT
  gather "$context/t"
  cp deploy/sandbox/Containerfile "$context/"
  local engine
  read -ra engine <<<"${ENGINE:-podman}"
  "${engine[@]}" build --pull=false --network=none --tag "$image" --file "$context/Containerfile" "$context"
}

gather() {
  local tools=deploy/toolchain/node_modules arch busybox
  arch=$(architecture)
  busybox=$(command -v busybox) || die "busybox is missing (busybox-static)"
  mkdir "$1"
  chmod 755 "$1"
  cp "$busybox" "$1/busybox"
  cp -R "$tools/@typescript/typescript-linux-$arch/lib" "$1/ts"
  cp "$tools/@esbuild/linux-$arch/bin/esbuild" "$1/esbuild"
  for program in busybox esbuild ts/tsc; do
    ! ldd "$1/$program" >/dev/null 2>&1 || die "$program is not static"
  done
}

architecture() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) die "there are no tools for $(uname -m)" ;;
  esac
}

die() {
  printf 'sandbox: %s\n' "$*" >&2
  exit 1
}

main "$@"
