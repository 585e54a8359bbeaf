#!/usr/bin/env bash
# Builds what is missing and runs all tests through CTest.
#
#   tools/test.sh [PRESET] [ctest options]     PRESET: release (default) or dev, with sanitizers
#   tools/test.sh [PRESET] --slurm             those on a Slurm cluster alone, which fail where none can be started
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/mpi_environment.sh

preset=release
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  preset=$1
  shift
fi
if [ "${1:-}" = --slurm ]; then
  shift
  set -- --label-regex '^slurm$' "$@"
  export RANKSWEEP_REQUIRE_SLURM=1
fi
tools/setup.sh --tests
cmake --preset "$preset" -DBUILD_TESTING=ON
cmake --build --preset "$preset"
ctest --preset "$preset" "$@"
