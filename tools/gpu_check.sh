#!/usr/bin/env bash
# Runs every test that needs a GPU, then the GPU's benchmark, on a machine with one. Nothing is fetched.
#
#   tools/gpu_check.sh          on the machine with the GPU
#   tools/gpu_check.sh pack     before, on a machine that can build: puts the programs and the libraries that
#                               they need, Torch's aside, into .gpu_check/, to be copied along with the tree
#
# Where .gpu_check/ is, its programs run with the LibTorch of `python3 -c 'import torch'`, which must be of the
# release that they were built with. Else the tree is built here, for which tools/setup.sh must have been run.
# What comes back: figures and logs in $OUT, where it is set, else in build/gpu_check.
set -euo pipefail
cd "$(dirname "$0")/.."

bundle=.gpu_check
out=${OUT:-build/gpu_check}
programs=(tests/gpu_test bin/ranksweep-trainer)

build() {
  cmake --preset cuda
  cmake --build --preset cuda
}

pack() {
  build
  rm -rf "$bundle"
  mkdir -p "$bundle/lib"
  local program
  for program in "${programs[@]}"; do
    strip -o "$bundle/$(basename "$program")" "build/cuda/$program"
    # Libraries of the system, without those that every Linux has and those beside Torch.
    ldd "build/cuda/$program" | awk '$3 ~ "^/(usr/)?lib/" {print $3}' |
      grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv|ld-linux[^/]*)\.so' |
      xargs -r cp -L -n -t "$bundle/lib"
  done
  du -sh "$bundle"
}

check() {
  mkdir -p "$out"
  local place=build/cuda/bin test=build/cuda/tests/gpu_test
  if [ -d "$bundle" ]; then
    local torch
    torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')
    place=$bundle test=$bundle/gpu_test
    LD_LIBRARY_PATH=$torch/lib:$(printf '%s:' "$(dirname "$torch")"/nvidia/*/lib)$PWD/$bundle/lib
    export LD_LIBRARY_PATH
  else
    build
  fi
  nvidia-smi || { echo "gpu_check: there is no GPU that nvidia-smi sees" >&2; exit 3; }
  local failed=0
  "$test" 2>&1 | tee "$out/gpu_test.txt" || failed=1
  python3 tools/benchmarks/gpu_step.py "$place/ranksweep-trainer" --json "$out/gpu_step.json" 2>&1 |
    tee "$out/gpu_step.txt" || failed=1
  [ "$failed" = 0 ] || { echo "gpu_check: failed, see $out" >&2; exit 1; }
}

case ${1:-} in
  pack) pack ;;
  "") check ;;
  *) sed -n '2,12p' "$0" | cut -c3- >&2; exit 2 ;;
esac
