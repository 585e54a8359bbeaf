#!/usr/bin/env bash
# In an image that is being built: from the sources, a clean clone, to /opt/ranksweep. CUDA=ON: for GPUs.
set -euo pipefail
cd "$(dirname "$0")/../.."

RANKSWEEP_CUDA=${CUDA:-OFF} tools/setup.sh
cmake --preset release -DBUILD_TESTING=OFF "-DRANKSWEEP_CUDA=${CUDA:-OFF}"
cmake --build --preset release --target ranksweep ranksweep-trainer
cmake --install build/release --prefix /opt/ranksweep --strip
rm -rf build
if [ "${CUDA:-OFF}" = OFF ]; then
  rm -rf .venv  # what is needed of it is in /opt/ranksweep/lib
fi
