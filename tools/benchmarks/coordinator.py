#!/usr/bin/env python3
"""What the coordinator costs when trials take no time: trials a second, memory, and the time to resume.

Usage: coordinator.py build/release/tests/many_trials [--trials 100000] [--ranks 8] [--folder FOLDER]

Every attempt, epoch and end is a durable commit in a real database in FOLDER (a temporary one by default).
"""

import argparse
import subprocess
import tempfile
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--ranks", type=int, default=8)
    parser.add_argument("--folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        done = subprocess.run([options.program, Path(folder) / "results.db", str(options.trials), str(options.ranks)],
                              check=True, stdout=subprocess.PIPE, text=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    steps = [(int(row[1]), float(row[3]), float(row[5])) for row in rows if row[0] == "trials"]
    print(f"{'trials':>9} {'trials/s':>9} {'resident MiB':>13}")
    before, started = 0, 0.0
    for trials, seconds, resident in steps:
        print(f"{trials:>9} {(trials - before) / (seconds - started):>9.0f} {resident:>13.1f}")
        before, started = trials, seconds
    print(f"{steps[-1][0] / steps[-1][1]:.0f} trials a second over all, {options.ranks} ranks")
    print(f"resume of the finished database: {float(rows[-1][1]):.2f} s")


if __name__ == "__main__":
    main()
