#!/usr/bin/env bash
# Every package that a member of the workspace imports is declared by it, and every one that it
# declares is imported. What common brings (DEP003) need not be declared again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0
for manifest in libs/*/pyproject.toml services/*/pyproject.toml deploy/local/pyproject.toml; do
  member=${manifest%/pyproject.toml}
  if ! found=$(cd "$member" && deptry src --no-ansi --ignore DEP003 \
    --per-rule-ignores DEP002=common --known-first-party common 2>&1); then
    printf '%s\n%s\n' "$member" "$found" >&2
    failed=1
  fi
done
exit "$failed"
