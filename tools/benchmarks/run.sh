#!/usr/bin/env bash
# run.sh FOLDER [NAME...]: runs the benchmarks, all or those that are named, keeps what they print in FOLDER/NAME.txt
# and puts it into docs/performance.md. They want a machine with nothing else on it, the release preset built, and
# for the rivals `tools/setup.sh --parity`; TUNERS=PYTHON names a Python that has the tuners.
set -euo pipefail
folder=$(realpath -m "${1:?usage: run.sh FOLDER [NAME...]}")
shift
cd "$(dirname "$0")/../.."
build=build/release
python=.venv-tests/bin/python
mkdir -p "$folder"
[[ -d $folder/faces ]] || $build/bin/ranksweep make-faces "$folder/faces" --size 150 > "$folder/make-faces.log"

declare -A command=(
  [coordinator]="tools/benchmarks/coordinator.py $build/tests"
  [data_parallel]="tools/benchmarks/data_parallel.py"
  [data_path]="$python tools/benchmarks/data_path.py $build/bin/data_path $folder/faces"
  [frozen_grid]="tools/benchmarks/frozen_grid.py $build/bin/ranksweep --json $folder/frozen_grid.json ${TUNERS:+--tuners $TUNERS}"
  [noop_trials]="tools/benchmarks/noop_trials.py $build --json $folder/noop_trials.json ${TUNERS:+--tuners $TUNERS}"
  [prediction]="tools/benchmarks/prediction.py $build/bin"
  [results]="tools/benchmarks/results.py $build"
  [scheduling]="tools/benchmarks/scheduling.py $build/tests/simulate_sweep"
  [study]="tools/benchmarks/study.py $build/bin/ranksweep --json $folder/study.json ${TUNERS:+--tuners $TUNERS}"
  [training_step]="tools/benchmarks/training_step.py $build/bin/ranksweep-trainer"
)
for name in "${@:-${!command[@]}}"; do
  echo "== $name"
  # A missed aim is a result too.
  ${command[$name]:?is no benchmark: $name} > "$folder/$name.part" || echo "$name: exit status $?"
  mv "$folder/$name.part" "$folder/$name.txt"
  cat "$folder/$name.txt"
done
tools/benchmarks/insert.py "$folder" docs/performance.md
