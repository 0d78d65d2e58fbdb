# shellcheck shell=bash
# What comes from the system's packages. A package is only installed when what it brings is missing.

install_system_packages() {
  local missing=()
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  has apt-get || die "there is no apt-get here; install what these packages bring: ${missing[*]}"
  say "installing system packages: ${missing[*]}"
  as_root true || die "run as root or install sudo, or install yourself: ${missing[*]}"
  quietly_install "${missing[@]}"
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || die "still missing after their installation: ${missing[*]}"
}

missing_packages() {
  [[ -n ${POSTGRES_BIN_DIR:-} ]] || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
    has postgres || echo postgresql
  [[ -n ${REDIS_SERVER_BIN:-} ]] || has redis-server || echo redis-server
  has bwrap || echo bubblewrap
  # a build sees no libraries: its shell must need none
  { has busybox && ! ldd "$(command -v busybox)" >/dev/null 2>&1; } || echo busybox-static
  compgen -G '/usr/lib/*/libseccomp.so.2' >/dev/null || compgen -G '/lib*/libseccomp.so.2' >/dev/null || echo libseccomp2
  has setpriv && has prlimit && has unshare || echo util-linux
  [[ -f /etc/ssl/certs/ca-certificates.crt || ! -d /etc/apt ]] || echo ca-certificates
  [[ -x .tools/bin/uv ]] || ! has apt-get || [[ -n $(python_with_venv) ]] || echo python3-venv
  has chromium || has chromium-browser || has google-chrome || ! offered chromium || echo chromium
  has curl || echo curl
  has jq || echo jq
  has shellcheck || ! offered shellcheck || echo shellcheck
  if ! new_enough_node && offered_node; then printf '%s\n' nodejs npm; fi
  [[ ${1:-} == --bench ]] || return 0
  has wrk || echo wrk
  has nginx || [[ -x /usr/sbin/nginx ]] || echo nginx-light
}

has() { command -v "$1" >/dev/null 2>&1; }

# offered <package>: whether apt would install something under this name
offered() {
  has apt-cache && [[ $(candidate "$1") != "" ]]
}

candidate() {
  # before the first update of a fresh machine apt knows of nothing
  if [[ -z ${lists_are_fresh:-} && -z $(compgen -G '/var/lib/apt/lists/*Packages*') ]]; then
    as_root apt-get update -q >&2 || true
    lists_are_fresh=yes
  fi
  # Ubuntu's chromium packages are only pointers to a snap, which needs a running snapd
  apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v -e '(none)' -e snap || true
}

as_root() {
  if ((EUID == 0)); then "$@"; elif has sudo; then sudo "$@"; else return 1; fi
}

# The servers of these packages are run as processes of the fleet: while they are installed no
# service may start, no cluster may be made, and nothing of theirs starts with the machine later.
quietly_install() {
  local policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.d/worldloom.conf
  local made_policy=no name
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made_policy=yes
  fi
  as_root mkdir -p "${clusters%/*}"
  printf 'create_main_cluster = false\n' | as_root tee "$clusters" >/dev/null
  local failed=no
  as_root apt-get update -q >&2 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2 ||
    failed=yes
  as_root rm -f "$clusters"
  [[ $made_policy == no ]] || as_root rm -f "$policy"
  [[ $failed == no ]] || die "apt-get could not install: $*"
  has systemctl || return 0
  for name in postgresql redis-server nginx; do
    [[ " $* " != *" $name"* ]] || as_root systemctl disable --quiet "$name" >/dev/null 2>&1 || true
  done
}
