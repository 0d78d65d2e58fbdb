#!/usr/bin/env bash
# Resolves the workspace and writes what is installed from: requirements.lock for everybody, and
# one in each service for its image and its isolated tests. They pin versions and hashes, and name
# no host; uv.lock, which does, stays out of the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export_lock() {
  local to=$1
  shift
  .tools/bin/uv export --quiet --frozen --no-header --no-emit-workspace "$@" -o "$to"
  # an index named in somebody's own configuration must not get in
  sed -i -E '/^(-i|--index-url|--extra-index-url|--find-links|-f)[ =]/d' "$to"
  if grep -n '://' "$to" >&2; then
    printf 'lock: %s names an address\n' "$to" >&2
    exit 1
  fi
}

.tools/bin/uv lock --python .venv/bin/python "$@"
export_lock requirements.lock --all-packages --all-groups
for folder in services/*/; do
  service=$(basename "$folder")
  export_lock "services/$service/requirements.lock" --package "$service" --no-default-groups
done
