"""`ranksweep launch` brings a sweep to its end whatever dies, and leaves nothing behind."""

import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
import processes  # noqa: E402
from ranksweep_case import RanksweepCase, four_trials  # noqa: E402

SWEEP = four_trials(execution="threads: 1, lease: 3")


class LaunchTest(RanksweepCase):
    def launch(self, sweep, *options):
        return self.start("launch", "-n", 2, sweep, "--db", self.database, *options)

    def wait_for_epochs(self, count):
        self.wait_for_rows(f"SELECT 1 WHERE (SELECT COUNT(*) FROM epoch) >= {count}")

    def expect_all_gone(self, family):
        self.assertEqual(processes.left_after(5, family), [])

    def test_it_runs_a_sweep(self):
        sweep = self.write_sweep(SWEEP)
        output = self.launch(sweep).communicate(timeout=120)[0]
        self.assertEqual(self.query("SELECT COUNT(*) FROM invocation"), [(1,)], output)
        self.expect_undisturbed_ranking(sweep)

    def test_it_goes_on_to_the_end_when_rank_0_and_then_mpirun_die(self):
        sweep = self.write_sweep(SWEEP)
        process = self.launch(sweep)
        self.wait_for_epochs(1)
        [mpirun] = processes.children(process.pid)  # with Open MPI 5 it is named prterun
        os.kill(processes.ranks_under(mpirun)[0], signal.SIGKILL)
        self.wait_for_rows("SELECT 1 WHERE (SELECT COUNT(*) FROM invocation) = 2")
        self.wait_for_epochs(10)
        [mpirun] = processes.children(process.pid)
        os.kill(mpirun, signal.SIGKILL)
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertEqual(self.query("SELECT COUNT(*) FROM invocation"), [(3,)])
        self.assertEqual(output.count("starting it again"), 2, output)
        self.expect_undisturbed_ranking(sweep)

    def test_a_signal_is_passed_on_and_the_same_command_goes_on(self):
        sweep = self.write_sweep(SWEEP)
        for number in (signal.SIGTERM, signal.SIGINT):
            done = self.query("SELECT COUNT(*) FROM epoch")[0][0] if self.database.exists() else 0
            process = self.launch(sweep)
            self.wait_for_epochs(done + 1)
            family = processes.descendants(process.pid)
            process.send_signal(number)
            output = process.communicate(timeout=60)[0]
            self.assertEqual(process.returncode, 75, output)
            self.assertEqual(self.query("SELECT COUNT(*) FROM attempt WHERE ended_at IS NULL"), [(0,)])
            self.expect_all_gone(family)
        process = self.launch(sweep)
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0)
        self.expect_undisturbed_ranking(sweep)

    def test_nothing_outlives_it(self):
        process = self.launch(self.write_sweep(SWEEP))
        self.wait_for_epochs(1)
        family = processes.descendants(process.pid)
        self.assertGreaterEqual(len(family), 5)  # mpirun, two ranks, two trainers
        self.end(process)
        self.expect_all_gone(family)

    def test_what_run_refuses_is_not_tried_again(self):
        sweep = self.write_sweep(SWEEP.replace("learning_rate", "learning_rat"))
        process = self.launch(sweep)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 2, output)
        self.assertNotIn("starting it again", output)

    def test_a_launcher_that_always_dies_is_given_up(self):
        launcher = self.folder / "mpirun"
        launcher.write_text("#!/bin/sh\nkill -9 $$\n")
        launcher.chmod(0o755)
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{self.folder}:{path}"
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        process = self.launch(self.write_sweep(SWEEP), "--fruitless", 2)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 3, output)
        self.assertEqual(output.count("starting it again"), 2, output)


if __name__ == "__main__":
    unittest.main()
