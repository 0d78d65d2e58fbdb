#!/usr/bin/env bash
# Runs the unit tests of each service (or of those named) in an environment that holds its own
# dependencies, pytest, and nothing else: what it imports, it declares.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repository=$PWD
readonly testing=(pytest pytest-asyncio hypothesis)
failed=()

environment() {
  local service=$1 home=$2
  .tools/bin/uv venv --quiet --clear --python .venv/bin/python "$home"
  .tools/bin/uv pip install --quiet --python "$home/bin/python" --require-hashes \
    -r "services/$service/requirements.lock"
  .tools/bin/uv pip install --quiet --python "$home/bin/python" -c requirements.lock \
    "${testing[@]}" hatchling editables
  .tools/bin/uv pip install --quiet --python "$home/bin/python" --no-deps --no-build-isolation \
    -e libs/common -e "services/$service"
}

others_are_absent() {
  local service=$1 python=$2 other
  for other in services/*/; do
    other=$(basename "$other")
    [[ $other == "$service" ]] && continue
    if "$python" -c "import $other.main" 2>/dev/null; then
      printf '%s can import %s\n' "$service" "$other" >&2
      return 1
    fi
  done
}

services=("$@")
((${#services[@]})) || mapfile -t services < <(basename -a services/*/)
homes=$(mktemp -d)
trap 'rm -rf "$homes"' EXIT
for service in "${services[@]}"; do
  printf '==> %s\n' "$service"
  home=$homes/$service
  environment "$service" "$home"
  cd "services/$service"
  "$home/bin/python" -c "import $service.main" && others_are_absent "$service" "$home/bin/python" &&
    "$home/bin/python" -m pytest -q -p no:cacheprovider -c "$repository/pyproject.toml" \
      --rootdir "$repository" --confcutdir "$repository/services/$service/tests/unit" \
      -o addopts="--import-mode=importlib --strict-markers" "$repository/services/$service/tests/unit" ||
    failed+=("$service")
  cd "$repository"
done
((${#failed[@]} == 0)) || { printf 'failed: %s\n' "${failed[*]}" >&2; exit 1; }
