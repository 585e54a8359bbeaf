#!/usr/bin/env bash
# From a fresh clone to a ranking: installs what is missing, builds, draws a set of faces, runs a
# small sweep on three ranks, and writes the report. Run again, it starts where it ended.
#
#   tools/quickstart.sh
#   RANKSWEEP_CUDA=ON tools/quickstart.sh    built for GPUs, whether there is one here or not
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/mpi_environment.sh

step() { printf '\n== %s (%s s so far)\n' "$*" "$SECONDS"; }
preset=release
[ "${RANKSWEEP_CUDA:-AUTO}" != ON ] || preset=cuda
bin=build/$preset/bin
folder=quickstart

step "1 of 4: what building needs"
tools/setup.sh

step "2 of 4: building ranksweep into $bin"
cmake --preset "$preset" -DBUILD_TESTING=OFF >build-configure.log 2>&1 || { cat build-configure.log; exit 3; }
rm -f build-configure.log
cmake --build --preset "$preset" --target ranksweep ranksweep-trainer

step "3 of 4: a sweep on drawn faces, three ranks under mpirun"
mkdir -p "$folder"
[ -d "$folder/faces" ] || "$bin/ranksweep" make-faces "$folder/faces" --persons 80 --seed 7
cp sweeps/examples/quickstart.yaml "$folder/sweep.yaml"
mpirun -n 3 "$bin/ranksweep" run "$folder/sweep.yaml" --db "$folder/results.db"

step "4 of 4: the ranking and the report"
"$bin/ranksweep" rank "$folder/results.db"
"$bin/ranksweep" report "$folder/results.db" -o "$folder/report.html"
"$bin/ranksweep" report "$folder/results.db" -o "$folder/report.md"
cat <<EOF

Done in $SECONDS s. Open $folder/report.html in a browser; $folder/results.db has every epoch.
Your own sweep: $bin/ranksweep init mine.yaml, edit it, then
  mpirun -n 2 $bin/ranksweep run mine.yaml --db mine.db
EOF
