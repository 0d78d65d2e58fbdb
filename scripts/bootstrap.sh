#!/usr/bin/env bash
# Makes this machine ready for the fleet: installs what is missing, and is quick when nothing is.
#
#   scripts/bootstrap.sh           what make setup needs
#   scripts/bootstrap.sh --bench   what make bench needs besides
#
# Debian 12 and Ubuntu, as root or with sudo; elsewhere it says what to install. It starts no
# system service, and keeps everything that is not a system package in .tools and .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/system.sh
source scripts/system.sh
# shellcheck source=scripts/python.sh
source scripts/python.sh
# shellcheck source=scripts/node.sh
source scripts/node.sh
export PATH="$PWD/.venv/bin:$PWD/.tools/bin:$PATH"

main() {
  install_system_packages "$@"
  install_node
  install_python_environment
  install_browser
  install_node_packages "$@"
  [[ ${1:-} != --bench ]] || install_bench_node
}

say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# installed <stamp> <file>...: whether the stamp was made from these files as they are now
installed() {
  local stamp=$1
  shift
  [[ -f $stamp && $(<"$stamp") == "$(digest "$@")" ]]
}

digest() { cat -- "$@" | sha256sum | cut -d' ' -f1; }

main "$@"
