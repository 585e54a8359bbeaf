"""Interrupts sweeps at random moments and checks that nothing about them changes, bit for bit.

Usage: interruptions.py [--times N] [--seed S]

A launch is stopped by a signal that it answers, or by one that it cannot, after a random time; the next one has
another number of ranks. Each sweep must end with every epoch of every trial as an undisturbed run on one rank has it.
"""

import argparse
import os
import random
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
import processes  # noqa: E402
from ranksweep_case import RanksweepCase, four_trials  # noqa: E402

SWEEP = four_trials(epochs=16, early_stopping="{patience: 6}", execution="threads: 1, checkpoint_interval: 1")
EPOCHS = """
SELECT identity, epoch, epoch.train_loss, epoch.train_accuracy, epoch.val_loss, epoch.val_accuracy, learning_rate,
       train_images, val_images
FROM epoch JOIN trial ON trial.id = epoch.trial ORDER BY identity, epoch
"""
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL]


class Interruptions(RanksweepCase):
    times = 6
    seed = int(os.environ.get("RANKSWEEP_SEED", random.randrange(1 << 32)))

    def test_an_interrupted_sweep_equals_an_undisturbed_one(self):
        print(f"\nRANKSWEEP_SEED={self.seed} repeats these interruptions", flush=True)
        self.random = random.Random(self.seed)
        sweep = self.write_sweep(SWEEP)
        undisturbed = self.folder / "undisturbed.db"
        self.run_sweep(sweep, database=undisturbed)
        interruptions = sweeps = 0
        while interruptions < self.times:
            sweeps += 1
            database = self.folder / f"interrupted_{sweeps}.db"
            while interruptions < self.times and self.interrupt_one(sweep, database):
                interruptions += 1
            self.run_sweep(sweep, ranks=self.random.choice([None, 1, 2, 3]), database=database)
            self.assert_sound(database)
            self.assertEqual(self.query(EPOCHS, database), self.query(EPOCHS, undisturbed))
            self.assertEqual(self.ranking(database), self.ranking(undisturbed))
        print(f"{interruptions} interruptions of {sweeps} sweeps changed nothing")

    def interrupt_one(self, sweep, database):
        """Whether the launch was still going on when the signal came."""
        ranks = self.random.choice([None, 1, 2, 3])
        process = self.start("run", sweep, "--db", database, ranks=ranks)
        while not processes.trainers_under(process.pid) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(self.random.uniform(0, 3))
        going_on = process.poll() is None
        family = processes.descendants(process.pid)
        # To rank 0, as Slurm does it; mpirun itself would kill the ranks a second later.
        coordinator = processes.ranks_under(process.pid)[:1] or [process.pid]
        number = self.random.choice(SIGNALS)
        if going_on:
            os.kill(process.pid if number == signal.SIGKILL else coordinator[0], number)
        process.communicate(timeout=60)
        processes.left_after(10, family)
        return going_on


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=Interruptions.times)
    parser.add_argument("--seed", type=int, default=Interruptions.seed)
    options = parser.parse_args()
    Interruptions.times, Interruptions.seed = options.times, options.seed
    unittest.main(argv=[sys.argv[0], "-v"])


if __name__ == "__main__":
    main()
