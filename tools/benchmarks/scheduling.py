#!/usr/bin/env python3
"""How near the schedules of the coordinator come to the shortest ones, in virtual time.

    tools/benchmarks/scheduling.py [build/release/tests/simulate_sweep] [--trials 10000] [--ranks 1000]

The real coordinator hands out a sweep of everything (tests/orchestrator/simulated_cluster.h) to simulated
ranks, eight on a host. No schedule is shorter than the longest trial, or than all work divided by the ranks;
the ratio to that is printed, and what device time that trained nothing was spent on. Exit status 1 when a
ratio is above 1.05.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
AIM = 1.05


def simulate(options, seed):
    command = [options.program, options.trials, options.ranks, options.error, seed]
    done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=ROOT / "build/release/tests/simulate_sweep")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--ranks", type=int, default=1000)
    parser.add_argument("--error", type=float, default=0.2, help="of the estimates, as a fraction")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    sweeps = [simulate(options, seed) for seed in range(1, options.seeds + 1)]
    reasons = sorted({reason for sweep in sweeps for reason in sweep["idle_s"]})
    print(" | ".join(["| seed", "makespan, s", "bound, s", "ratio", *reasons]), "|")
    print("|" + "---:|" * (4 + len(reasons)))
    for seed, sweep in enumerate(sweeps, 1):
        shares = [100 * sweep["idle_s"].get(reason, 0) / sweep["device_seconds"] for reason in reasons]
        print(f"| {seed} | {sweep['makespan_s']:.0f} | {sweep['bound_s']:.0f} | {sweep['ratio']:.3f} |",
              " | ".join(f"{share:.2f} %" for share in shares), "|")
    return 1 if max(sweep["ratio"] for sweep in sweeps) > AIM else 0


if __name__ == "__main__":
    sys.exit(main())
