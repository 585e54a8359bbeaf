#!/usr/bin/env python3
"""Training steps of two trainers on CPUs beside one, at the same batch; and what overlap saves.

One thread a trainer. Runs are interleaved, so that what else the machine does slows all alike; the best of
a run's steps counts. Ideal is half of the time. The communication that a step waits for is measured
against one trainer on half of the batch.
"""

import argparse
import statistics
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "release" / "bin" / "data_parallel"


def best_step(options, members, overlap, batch):
    command = [options.program, options.architecture, members, batch, options.size, overlap, options.steps]
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    return min(map(float, done.stdout.split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("--architecture", default="resnet50")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    cases = {"one": (1, "backward", options.batch), "half the batch alone": (1, "backward", options.batch // 2),
             "two, overlap": (2, "backward", options.batch), "two, sums after": (2, "none", options.batch)}
    seconds = {name: [] for name in cases}
    for _ in range(options.rounds):
        for name, case in cases.items():
            seconds[name].append(best_step(options, *case))
    best = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in best.items():
        print(f"{name:22} {1000 * value:8.1f} ms a step")
    ideal = best["one"] / 2
    print(f"two trainers reach {ideal / best['two, overlap']:.2f} of ideal")
    exposed = best["two, sums after"] - best["half the batch alone"]
    saved = best["two, sums after"] - best["two, overlap"]
    print(f"communication exposed without overlap: {1000 * exposed:.1f} ms; overlap saves {1000 * saved:.1f} ms")


if __name__ == "__main__":
    main()
