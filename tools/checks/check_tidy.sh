#!/usr/bin/env bash
# clang-tidy over the units that do not include Torch (its headers take minutes a unit).
#
#   check_tidy.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/../.."
tidy=.venv-checks/bin/clang-tidy
[ -x $tidy ] || { echo "clang-tidy is missing: tools/setup.sh --tests"; exit 1; }
git ls-files 'sweeps/*.cc' 'cluster/*.cc' 'results/*.cc' 'orchestrator/*.cc' 'worker/data/*.cc' 'tools/*.cc' ':!tools/benchmarks' |
  xargs -d '\n' -n 4 -P 2 $tidy -p "$build" --quiet --extra-arg=-Wno-deprecated-declarations 2>/dev/null
