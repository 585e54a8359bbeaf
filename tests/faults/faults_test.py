"""One fault after another, each on real processes: the sweep ends with the ranking of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
import processes  # noqa: E402
from ranksweep_case import BIN, RanksweepCase, four_trials  # noqa: E402

SWEEP = four_trials(execution="threads: 1, silence_limit: 5, lease: 3")
SCRIPTED_TRAINER = os.environ["RANKSWEEP_SCRIPTED_TRAINER"]
SEED = int(os.environ.get("RANKSWEEP_SEED", random.randrange(1 << 32)))


def recovery_options():
    """What makes mpirun leave the other ranks alone when one dies (docs/decisions/0007-starting-again.md)."""
    version = subprocess.run(["mpirun", "--version"], check=True, text=True, capture_output=True).stdout
    return ["--with-ft", "ulfm"] if "Open MPI) 5." in version else ["--enable-recovery"]


class FaultsTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print(f"RANKSWEEP_SEED={SEED} repeats these moments", flush=True)
        cls.random = random.Random(SEED)

    def start_until_it_trains(self, sweep, *launcher_options, ranks=2):
        command = ["run", sweep, "--db", self.database]
        process = self.start(*command, ranks=" ".join(map(str, (ranks, *launcher_options))))
        self.wait_for_rows("SELECT 1 FROM epoch")
        time.sleep(self.random.uniform(0, 0.5))
        return process

    def command(self, *arguments, ranks=None):
        launcher = ["mpirun", "-n", *str(ranks).split()] if ranks else []
        return [*launcher, str(BIN / "ranksweep"), *map(str, arguments)]

    def test_a_stopped_trainer_is_noticed_and_replaced(self):
        sweep = self.write_sweep(SWEEP)
        process = self.start_until_it_trains(sweep)
        os.kill(self.random.choice(processes.trainers_under(process.pid)), signal.SIGSTOP)
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertEqual(self.query("SELECT cause FROM attempt WHERE outcome != 'finished'"), [("no progress",)])
        self.expect_undisturbed_ranking(sweep)

    def test_a_killed_rank_is_given_up_and_the_others_go_on(self):
        sweep = self.write_sweep(SWEEP)
        process = self.start_until_it_trains(sweep, *recovery_options())
        os.kill(processes.ranks_under(process.pid)[1], signal.SIGKILL)
        output = process.communicate(timeout=120)[0]
        self.assertEqual(self.query("SELECT COUNT(*) FROM invocation"), [(1,)], output)
        self.assertEqual(self.query("SELECT cause FROM attempt WHERE outcome != 'finished'"), [("rank lost",)])
        self.expect_undisturbed_ranking(sweep)

    def test_a_stopped_rank_is_given_up_and_comes_back(self):
        sweep = self.write_sweep(SWEEP)
        process = self.start_until_it_trains(sweep)
        stopped = processes.ranks_under(process.pid)[1]
        os.kill(stopped, signal.SIGSTOP)
        self.wait_for_rows("SELECT 1 FROM event WHERE kind = 'rank lost'")
        os.kill(stopped, signal.SIGCONT)
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertEqual(self.query("SELECT COUNT(*) FROM event WHERE kind = 'joined' AND rank = 1"), [(2,)])
        self.expect_undisturbed_ranking(sweep)

    def test_nobody_waits_for_ever_for_a_rank_that_stops_at_the_end(self):
        sweep = self.write_sweep(SWEEP.replace("[1e-3, 3e-4]", "1e-3").replace("[none, flip]", "none"))
        process = self.start_until_it_trains(sweep)
        ranks = processes.ranks_under(process.pid)
        os.kill(ranks[1], signal.SIGSTOP)  # it has nothing to train
        self.wait_for_rows("SELECT 1 FROM trial WHERE state = 'finished'")
        self.assertEqual(processes.left_after(30, ranks[:1]), [])
        os.kill(ranks[1], signal.SIGCONT)
        process.communicate(timeout=30)
        self.assert_sound()

    def test_agents_leave_when_the_coordinator_is_gone(self):
        sweep = self.write_sweep(SWEEP)
        process = self.start_until_it_trains(sweep, *recovery_options())
        family = processes.descendants(process.pid)
        os.kill(processes.ranks_under(process.pid)[0], signal.SIGKILL)
        process.communicate(timeout=60)
        self.assertEqual([pid for pid in family if processes.lives(pid)], [])
        self.run_sweep(sweep, ranks=2)
        self.expect_undisturbed_ranking(sweep)

    def test_poison_is_counted_across_restarts_and_the_sweep_goes_on(self):
        self.use_trainer(f"exec {SCRIPTED_TRAINER} crash_always")
        sweep = self.write_sweep(SWEEP.replace("[1e-3, 3e-4]", "1e-3"))
        process = self.start("run", sweep, "--db", self.database)
        self.wait_for_rows("SELECT 1 FROM attempt WHERE outcome = 'lost'")
        self.end(process)
        self.run_sweep(sweep, expect=1)
        self.assertEqual(self.query("SELECT DISTINCT state FROM trial"), [("failed",)])
        self.assertEqual(self.query("SELECT DISTINCT COUNT(*) FROM attempt WHERE outcome = 'lost' GROUP BY trial"),
                         [(3,)])

    def test_too_little_memory_is_told_with_the_last_words(self):
        self.use_trainer(f"ulimit -v 200000\nexec {BIN}/ranksweep-trainer")
        sweep = self.write_sweep(SWEEP)
        output = self.run_sweep(sweep, expect=3)
        self.assertIn("no device is left to train on", output)
        self.assertEqual(self.query("SELECT COUNT(*) FROM trial WHERE state = 'pending'"), [(4,)])
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt WHERE cause = '' OR stderr_tail = ''"), [(0,)])
        self.use_trainer(f"exec {BIN}/ranksweep-trainer")  # memory was added
        self.run_sweep(sweep)
        self.expect_undisturbed_ranking(sweep)

    def test_a_trial_that_needs_too_much_memory_goes_on_in_parts_of_its_batches(self):
        # Half of a batch fits. The address sanitizer needs all addresses for itself, and has a limit of its own.
        self.use_trainer(f'''
            if (ulimit -v 1500000; {BIN}/ranksweep-trainer --help >/dev/null 2>&1); then ulimit -v 1500000
            else export ASAN_OPTIONS="$ASAN_OPTIONS:max_allocation_size_mb=80:allocator_may_return_null=1"; fi
            exec {BIN}/ranksweep-trainer''')
        sweep = self.write_sweep(
            four_trials(epochs=1, execution="threads: 1, on_out_of_memory: accumulate, max_attempts: 5")
            .replace("[32, 32]", "[224, 224]").replace("batch_size: 8", "batch_size: 64")
            .replace("[1e-3, 3e-4]", "1e-3").replace("[none, flip]", "none"))
        self.run_sweep(sweep)
        attempts = self.query("SELECT outcome, cause FROM attempt ORDER BY id")
        self.assertEqual(attempts.pop(), ("finished", ""))
        self.assertEqual(set(attempts), {("failed", "out of memory")})
        self.assertIn("on_out_of_memory", self.query("SELECT message FROM attempt")[0][0])
        parts = self.query("SELECT message FROM event WHERE kind = 'out of memory'")
        self.assertEqual(len(parts), len(attempts))
        self.assertIn("in 2 parts", parts[0][0])

    def test_a_device_that_breaks_whatever_it_is_given_is_quarantined(self):
        self.use_trainer("grep -qz OMPI_COMM_WORLD_RANK=1 /proc/$PPID/environ && { echo fell off the bus; exit 4; }\n"
                         f"exec {BIN}/ranksweep-trainer")
        sweep = self.write_sweep(SWEEP)
        self.run_sweep(sweep, ranks=2)
        self.assertEqual(self.query("SELECT rank FROM event WHERE kind = 'quarantined'"), [(1,)])
        self.assertEqual(self.query("SELECT DISTINCT rank, counts FROM attempt WHERE outcome = 'lost'"), [(1, 0)])
        self.assertIn("quarantined", self.ranksweep("status", self.database))
        os.environ.pop("RANKSWEEP_TRAINER")
        self.expect_undisturbed_ranking(sweep)


if __name__ == "__main__":
    unittest.main()
