#!/usr/bin/env bash
# Installs what building ranksweep needs and is not there yet, on Debian and Ubuntu: packages by apt,
# LibTorch from the PyPI wheel into .venv. What is there already is used: an MPI in PATH (a cluster's
# module), a LibTorch in CMAKE_PREFIX_PATH, a torch in the active Python.
#
#   tools/setup.sh                 LibTorch as this machine needs it: with CUDA where a driver is
#   RANKSWEEP_CUDA=ON tools/setup.sh    the full CUDA set, driver or not
#   tools/setup.sh --tests         also what only the tests and checks need
#   tools/setup.sh --parity        also the Python packages that the tests compare with (5 GB in
#                                  .venv-tests); without them those comparisons say that they are skipped
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "setup: $*"; }
fail() { printf '%s\n' "setup: $*" >&2; exit 3; }

packages=(build-essential cmake ninja-build ccache pkg-config git python3-venv
  libyaml-cpp-dev libfmt-dev nlohmann-json3-dev libcli11-dev libsqlite3-dev libsqlitecpp-dev sqlite3
  libjpeg-dev libpng-dev libxxhash-dev libcairo2-dev libjs-chart.js
  libcpp-httplib-dev libprotozero-dev libgtest-dev libgmock-dev)
command -v mpirun >/dev/null && command -v mpicxx >/dev/null || packages+=(openmpi-bin libopenmpi-dev)
if [ "${1:-}" = --tests ] || [ "${1:-}" = --parity ]; then
  packages+=(clang-format chromium slurm-wlm munge iproute2 python3-numpy)
fi

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || { say "all Debian packages are there"; return; }
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing, and there is no sudo to install them: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -q >/dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

wants_cuda() {
  case "${RANKSWEEP_CUDA:-AUTO}" in
    ON) return 0 ;;
    OFF) return 1 ;;
    *) command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1 ;;
  esac
}

has_libtorch() {
  # The light set in .venv is not what a build with CUDA needs.
  if wants_cuda && [ -d .venv ] && [ -z "$(find .venv -name 'libnccl.so*' -print -quit)" ]; then
    return 1
  fi
  local folder
  for folder in $(echo "${CMAKE_PREFIX_PATH:-}" | tr ":;" "  "); do
    [ -e "$folder/include/torch/csrc/api/include/torch/torch.h" ] && { say "LibTorch is there: $folder"; return 0; }
  done
  local python
  for python in python3 .venv/bin/python; do
    folder=$("$python" -c "import importlib.util as u; s=u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')" 2>/dev/null) || continue
    [ -n "$folder" ] && { say "LibTorch is there: $folder"; return 0; }
  done
  return 1
}

install_libtorch() {
  [ -x .venv/bin/python ] || python3 -m venv .venv
  if wants_cuda; then
    say "installing LibTorch with CUDA into .venv (5 GB)"
    .venv/bin/pip install -q --disable-pip-version-check "$(grep '^torch==' tools/libtorch-requirements.txt)"
  else
    say "installing LibTorch into .venv (1.3 GB)"
    .venv/bin/pip install -q --disable-pip-version-check --no-deps -r tools/libtorch-requirements.txt
  fi
}

# Debian's clang-tidy walks through all headers of the system, and takes three times as long.
install_tidy() {
  local tidy=clang-tidy==23.1.4
  [ -x .venv-checks/bin/python ] || python3 -m venv .venv-checks
  [ "$(.venv-checks/bin/pip freeze)" = "$tidy" ] && return
  say "installing clang-tidy into .venv-checks"
  .venv-checks/bin/pip install -q --disable-pip-version-check "$tidy"
}

install_parity() {
  [ -x .venv-tests/bin/python ] || python3 -m venv .venv-tests
  say "installing the Python packages that the tests compare with into .venv-tests (5 GB)"
  .venv-tests/bin/pip install -q --disable-pip-version-check \
    "$(grep '^torch==' tools/libtorch-requirements.txt)" -r tools/parity-requirements.txt
}

if command -v apt-get >/dev/null; then
  install_packages
else
  say "no apt here: install by your own means what CMake will call missing"
fi
has_libtorch || install_libtorch
if [ "${1:-}" = --tests ] || [ "${1:-}" = --parity ]; then
  install_tidy
fi
if [ "${1:-}" = --parity ]; then
  install_parity
fi
