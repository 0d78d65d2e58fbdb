# shellcheck shell=bash
# Node 20 or later, the packages that run on it, and a browser for the demo.

readonly NODE_MAJOR_MIN=20
readonly BENCH_NODE_MAJOR_MIN=22

new_enough_node() {
  has node && has npm || return 1
  local version
  version=$(node --version)
  version=${version#v}
  ((${version%%.*} >= NODE_MAJOR_MIN))
}

offered_node() {
  local version
  version=$(candidate nodejs)
  version=${version#*:}
  [[ ${version%%.*} =~ ^[0-9]+$ ]] && ((${version%%.*} >= NODE_MAJOR_MIN))
}

# where neither the machine nor its packages have it, a repackaged one lives in .tools
install_node() {
  ! new_enough_node || return 0
  [[ -x .tools/bin/python ]] || make_tools
  say "installing Node into .tools"
  .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/node.txt ||
    die "no Node $NODE_MAJOR_MIN: install it from your system or a version manager, and run this again"
  hash -r
  new_enough_node || die "Node in .tools does not run; install Node $NODE_MAJOR_MIN yourself"
}

# what is measured beside the services wants a newer one than the rest is content with
install_bench_node() {
  local version=0 stamp=.tools/node22/.installed
  if has node; then version=$(node --version); fi
  version=${version#v}
  ((${version%%.*} < BENCH_NODE_MAJOR_MIN)) || return 0
  ! installed "$stamp" scripts/node.txt || return 0
  say "installing another Node into .tools/node22, for benchmarks alone"
  rm -rf .tools/node22
  .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    --target .tools/node22 -r scripts/node.txt
  digest scripts/node.txt >"$stamp"
}

install_node_packages() {
  local lock folder
  while IFS= read -r lock; do
    folder=${lock%/*}
    installed "$folder/node_modules/.installed" "$lock" "$folder/package.json" && continue
    say "installing the npm packages of $folder"
    (cd "$folder" && npm ci --silent --no-fund --no-audit)
    mkdir -p "$folder/node_modules"
    digest "$lock" "$folder/package.json" >"$folder/node_modules/.installed"
  done < <(package_locks "$@")
}

package_locks() {
  local skipped=(-path '*/node_modules/*' -o -path './.*')
  [[ ${1:-} == --bench ]] || skipped+=(-o -path './benchmarks/*')
  find . \( "${skipped[@]}" \) -prune -o -name package-lock.json -print | sort
}

# where the system's packages have no browser (Ubuntu's need a snap), Playwright's own is taken
install_browser() {
  local browser
  for browser in chromium chromium-browser google-chrome; do
    ! has "$browser" || return 0
  done
  say "installing Chromium for Playwright"
  ! as_root true 2>/dev/null || as_root env PATH="$PATH" .venv/bin/playwright install-deps chromium >&2 || true
  .venv/bin/playwright install chromium >&2 || {
    say "no browser: make demo will not look at the game (install chromium to let it)"
    return 0
  }
  browser=$(.venv/bin/python -c 'from playwright.sync_api import sync_playwright as start
with start() as playwright: print(playwright.chromium.executable_path)')
  ln -sfn "$browser" .tools/bin/chromium
}
