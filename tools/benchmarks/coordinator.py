#!/usr/bin/env python3
"""What the coordinator costs: trials that take no time, and many ranks that talk to it.

Usage: coordinator.py build/release/tests [--trials 100000] [--ranks 8,64,1000] [--folder FOLDER]

Agents are simulated in the same process; the coordinator, its store and the database in FOLDER (a temporary one by
default) are real, and every attempt, epoch and end is committed before it is acted upon. Ranks wait for commits at the
same time, so the more there are, the more share one: trials a second go up with ranks until the processor is the limit.
Processor time is the coordinator's own, with the store; a busy machine changes it little.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path


def run(folder, program, *arguments):
    with tempfile.TemporaryDirectory(dir=folder) as place:
        done = subprocess.run([program, Path(place) / "results.db", *map(str, arguments)], check=True,
                              stdout=subprocess.PIPE, text=True)
    return [line.split() for line in done.stdout.splitlines()]


def run_trials(options, ranks, journal):
    rows = run(options.folder, options.programs / "many_trials", options.trials, ranks, journal)
    steps = [(int(row[1]), float(row[3]), float(row[5])) for row in rows if row[0] == "trials"]
    figures = {row[0]: float(row[1]) for row in rows if row[0] != "trials"}
    print(f"{ranks:>6} {journal:<9} {steps[-1][0] / steps[-1][1]:>9.0f} {figures['coordinator_us_a_trial']:>13.1f} "
          f"{steps[0][2]:>10.1f} {steps[-1][2]:>10.1f} {figures['resume_seconds']:>9.2f} "
          f"{figures['resume_processor_seconds']:>13.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--ranks", default="8,64,1000")
    parser.add_argument("--folder")
    options = parser.parse_args()
    print(f"{options.trials} trials of one epoch; MiB after a tenth of them and after all; seconds to resume the end")
    print(f"{'ranks':>6} {'journal':<9} {'trials/s':>9} {'processor us':>13} {'MiB':>10} {'MiB':>10} {'resume s':>9} "
          f"{'processor s':>13}")
    for ranks in options.ranks.split(","):
        for journal in ("rollback", "wal"):
            run_trials(options, int(ranks), journal)
    figures = {row[0]: float(row[1]) for row in run(options.folder, options.programs / "many_ranks", 1000, 10)}
    print(f"1000 ranks, 10 messages a second each: {figures['us_a_message']:.1f} us of processor time a message, "
          f"{100 * figures['share_of_a_core']:.0f} % of a core")


if __name__ == "__main__":
    main()
