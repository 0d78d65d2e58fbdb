# shellcheck shell=bash
# Python 3.13, the tool that installs (uv), and the environment of the whole workspace.

install_python_environment() {
  install_uv
  local python
  python=$(find_python) || die "no Python 3.13: install it (pyenv install 3.13, or your system's package), and run this again"
  if ! is_python_313 .venv/bin/python; then
    say "making .venv with $python"
    .tools/bin/uv venv --quiet --clear --python "$python" .venv
  fi
  local inputs=(requirements.lock pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml deploy/local/pyproject.toml scripts/python.sh)
  ! installed .venv/.installed "${inputs[@]}" || return 0
  say "installing the Python packages of requirements.lock"
  .tools/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
  local members=() folder
  for folder in libs/* services/* deploy/local; do
    [[ ! -f $folder/pyproject.toml ]] || members+=(-e "./$folder")
  done
  # what builds them is in the lock too
  .tools/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation "${members[@]}"
  digest "${inputs[@]}" >.venv/.installed
}

install_uv() {
  [[ -x .tools/bin/python ]] || make_tools
  ! installed .tools/.uv scripts/uv.txt || return 0
  say "installing uv into .tools"
  .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/uv.txt
  digest scripts/uv.txt >.tools/.uv
}

# an environment of our own: the system's Python lets nobody install beside its packages (PEP 668)
make_tools() {
  local python
  python=$(python_with_venv)
  [[ -n $python ]] || die "no python3 with the venv module (on Debian: python3-venv)"
  "$python" -m venv --clear .tools
}

python_with_venv() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
}

is_python_313() {
  "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1
}

# a version manager's shim may stand on PATH for a Python that is not there: each is tried
find_python() {
  local python
  for python in "$(command -v python3.13)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
    if is_python_313 "$python"; then
      "$python" -c 'import os, sys; print(os.path.realpath(sys.executable))'
      return
    fi
  done
  say "no Python 3.13 here; uv downloads one"
  .tools/bin/uv python install --quiet 3.13 >&2 && .tools/bin/uv python find --managed-python 3.13
}
