"""Kills trainers, ranks and launchers at random moments until enough have died, and checks that nothing is lost.

Usage: soak.py [--kills N] [--seed S]

Sweeps are run and killed until N kills are done. Each must end with every trial once and, bit for bit, the ranking
of an undisturbed run. RANKSWEEP_BIN_DIR and RANKSWEEP_SOURCE_DIR say where the programs and the sources are.
"""

import argparse
import collections
import datetime
import os
import random
import signal
import sqlite3
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
import processes  # noqa: E402
from ranksweep_case import RanksweepCase, four_trials  # noqa: E402

SWEEP = four_trials(execution="threads: 1, max_attempts: 100, checkpoint_interval: 1")
RANKS = 2
# Trainers die most often: that is what a sweep must shrug off without anybody's help.
VICTIMS = ["trainer", "trainer", "trainer", "rank 0", "mpirun"]
TRAINER_SIGNALS = [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT]


class Soak:
    def __init__(self, case, kills, seed):
        self.case = case
        self.kills_wanted = kills
        self.random = random.Random(seed)
        self.kills = collections.Counter()
        self.trainer_deaths = []  # Unix times
        self.retry_delays = []
        self.failed_by_itself = 0  # launches in a row

    def run(self):
        sweep = self.case.write_sweep(SWEEP)
        undisturbed = self.case.folder / "undisturbed.db"
        self.case.run_sweep(sweep, database=undisturbed)
        sweeps = 0
        while self.kills.total() < self.kills_wanted:
            sweeps += 1
            database = self.case.folder / f"killed_{sweeps}.db"
            while self.kills.total() < self.kills_wanted and self.run_and_kill(sweep, database):
                pass
            self.case.run_sweep(sweep, ranks=RANKS, database=database)
            self.case.assert_sound(database)
            self.case.assertEqual(self.case.ranking(database), self.case.ranking(undisturbed))
            self.measure_retries(database)
            print(f"sweep {sweeps} is sound after {self.kills.total()} kills", flush=True)
        return sweeps

    def run_and_kill(self, sweep, database):
        """One launch, until it ends by itself (then False) or is killed."""
        launcher = self.case.start("run", sweep, "--db", database, ranks=RANKS)
        if self.random.random() < 0.8:  # the others are killed while they start
            self.wait_for_another_epoch(launcher, database)
        while self.kills.total() < self.kills_wanted:
            time.sleep(self.random.uniform(0.05, 0.8))
            if launcher.poll() is not None:
                output = launcher.communicate()[0]
                # Not 0 when the kill hit the trainer that rank 0 asks for costs before the sweep starts.
                self.failed_by_itself = self.failed_by_itself + 1 if launcher.returncode != 0 else 0
                self.case.assertLess(self.failed_by_itself, 20, output)
                return launcher.returncode != 0
            if self.kill_one(launcher) != "trainer":
                break
        else:
            self.case.end(launcher)
            return True
        family = processes.descendants(launcher.pid)
        launcher.wait()
        launcher.stdout.close()
        self.expect_gone(family)
        return True

    def wait_for_another_epoch(self, launcher, database):
        def epochs():
            try:
                return self.case.query("SELECT COUNT(*) FROM epoch", database)[0][0]
            except sqlite3.OperationalError:
                return 0  # not made yet, or in mid-commit

        before = epochs()
        while launcher.poll() is None and epochs() <= before:
            time.sleep(0.02)

    def kill_one(self, launcher):
        victim = self.random.choice(VICTIMS)
        number = signal.SIGKILL
        if victim == "trainer":
            candidates = processes.trainers_under(launcher.pid)
            number = self.random.choice(TRAINER_SIGNALS)
        elif victim == "rank 0":
            candidates = processes.ranks_under(launcher.pid)[:1]
        else:
            candidates = [launcher.pid]
        if not candidates:
            return "trainer"  # none is up yet
        try:
            os.kill(self.random.choice(candidates), number)
        except ProcessLookupError:
            return "trainer"
        self.kills[victim] += 1
        if victim == "trainer":
            self.trainer_deaths.append(time.time())
        return victim

    def expect_gone(self, family):
        self.case.assertEqual(processes.left_after(5, family), [], "processes that outlived their launcher by 5 s")

    def measure_retries(self, database):
        """From the death of a trainer to the start of the next attempt at its trial, in the same launch; or on its
        device, which gets another trial when one breaks there again and again (orchestrator/device_health.h)."""
        rows = self.case.query("""
            SELECT lost.ended_at, MIN(next.begun_at) FROM attempt AS lost
            JOIN attempt AS next ON next.id > lost.id AND next.invocation = lost.invocation
              AND (next.trial = lost.trial OR next.rank = lost.rank)
            WHERE lost.outcome = 'lost' GROUP BY lost.id""", database)
        for ended, begun in rows:
            ended, begun = (datetime.datetime.fromisoformat(text).timestamp() for text in (ended, begun))
            deaths = [death for death in self.trainer_deaths if death <= ended + 0.001]
            if deaths:
                self.retry_delays.append(begun - deaths[-1])


class SoakTest(RanksweepCase):
    kills = 20
    seed = int(os.environ.get("RANKSWEEP_SEED", random.randrange(1 << 32)))

    def test_nothing_is_lost(self):
        print(f"\nRANKSWEEP_SEED={self.seed} repeats these kills", flush=True)
        soak = Soak(self, self.kills, self.seed)
        sweeps = soak.run()
        print(f"{sum(soak.kills.values())} kills survived in {sweeps} sweeps: {dict(soak.kills)}")
        delays = sorted(soak.retry_delays)
        if delays:
            print(f"trainer's death to the start of the retry, or of another trial there: median {delays[len(delays) // 2]:.3f} s, "
                  f"longest {delays[-1]:.3f} s, of {len(delays)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=SoakTest.kills)
    parser.add_argument("--seed", type=int, default=SoakTest.seed)
    options = parser.parse_args()
    SoakTest.kills, SoakTest.seed = options.kills, options.seed
    unittest.main(argv=[sys.argv[0], "-v"])


if __name__ == "__main__":
    main()
