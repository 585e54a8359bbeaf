#!/usr/bin/env bash
# Builds what is missing and runs all tests through CTest.
#
#   tools/test.sh [PRESET] [ctest options]     PRESET: release (default) or dev, with sanitizers
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/mpi_environment.sh

preset=release
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  preset=$1
  shift
fi
tools/setup.sh --tests
cmake --preset "$preset" -DBUILD_TESTING=ON
cmake --build --preset "$preset"
ctest --preset "$preset" "$@"
