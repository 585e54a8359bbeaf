"""One sweep, from YAML to report, as a user runs it."""

import os
import signal
import unittest
import unittest.mock

import processes
from ranksweep_case import BIN, LONDON_FACES, RanksweepCase, four_trials

SWEEP = four_trials(epochs=3, early_stopping="{patience: 2}")
LONG_SWEEP = four_trials()


class SweepTest(RanksweepCase):
    def test_any_number_of_ranks_and_any_journal_give_the_same_ranking(self):
        sweep = self.write_sweep(SWEEP)
        rankings = []
        for ranks, journal in ((None, "rollback"), (1, "auto"), (2, "wal"), (3, "rollback")):
            database = self.folder / f"ranks_{ranks}.db"
            self.ranksweep("run", sweep, "--db", database, "--journal", journal, ranks=ranks)
            self.assert_sound(database)
            rankings.append(self.query("SELECT trial, mark, best_epoch, val_loss FROM ranking ORDER BY position",
                                       database))
        self.assertEqual(len(rankings[0]), 4)
        for ranking in rankings[1:]:
            self.assertEqual(ranking, rankings[0])

    def test_the_same_command_again_trains_nothing_and_changes_nothing(self):
        sweep = self.write_sweep(SWEEP)
        self.run_sweep(sweep, ranks=2)
        before = self.ranking(), self.query("SELECT COUNT(*) FROM attempt")
        self.assertIn("4 trials done before", self.run_sweep(sweep, ranks=2))
        self.assertEqual((self.ranking(), self.query("SELECT COUNT(*) FROM attempt")), before)

    def test_more_grid_values_extend_the_sweep(self):
        self.run_sweep(self.write_sweep(SWEEP), ranks=2)
        wider = self.write_sweep(SWEEP.replace("[1e-3, 3e-4]", "[1e-3, 3e-4, 1e-4]"))
        self.assertIn("4 trials done before", self.run_sweep(wider, ranks=2))
        self.assertEqual(self.query("SELECT COUNT(*) FROM trial WHERE state = 'finished'"), [(6,)])
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt"), [(6,)])

    def test_the_plan_is_pending_before_the_first_dispatch(self):
        process = self.start("run", self.write_sweep(LONG_SWEEP), "--db", self.database, ranks=2)
        self.wait_for_rows("SELECT 1 FROM attempt")
        self.assertEqual(self.query("SELECT COUNT(*) FROM trial"), [(4,)])
        self.end(process)

    def test_a_killed_run_goes_on_to_the_ranking_of_an_undisturbed_one(self):
        sweep = self.write_sweep(LONG_SWEEP)
        undisturbed = self.folder / "undisturbed.db"
        self.run_sweep(sweep, database=undisturbed)
        for epochs, journal in ((1, "rollback"), (14, "wal"), (30, "rollback")):
            process = self.start("run", sweep, "--db", self.database, "--journal", journal, ranks=2)
            self.wait_for_rows(f"SELECT 1 WHERE (SELECT COUNT(*) FROM epoch) >= {epochs}")
            self.end(process)
        self.run_sweep(sweep, ranks=3)
        self.assert_sound()
        self.assertEqual(self.ranking(), self.ranking(undisturbed))
        self.assertIn("0 with others", self.ranksweep("compare", self.database, undisturbed))

    def test_a_signal_stops_cleanly_and_the_same_command_goes_on(self):
        sweep = self.write_sweep(LONG_SWEEP)
        undisturbed = self.folder / "undisturbed.db"
        self.run_sweep(sweep, database=undisturbed)
        for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            done = self.query("SELECT COUNT(*) FROM epoch")[0][0] if self.database.exists() else 0
            process = self.start("run", sweep, "--db", self.database)
            self.wait_for_rows(f"SELECT 1 WHERE (SELECT COUNT(*) FROM epoch) > {done}")
            process.send_signal(stop)
            output = process.communicate(timeout=60)[0]
            self.assertEqual(process.returncode, 75, output)
            self.assertIn("run the same command again", output)
            self.assert_sound_so_far()
        self.run_sweep(sweep, ranks=2)
        self.assert_sound()
        self.assertEqual(self.ranking(), self.ranking(undisturbed))

    def assert_sound_so_far(self):
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt WHERE ended_at IS NULL"), [(0,)])
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt WHERE outcome IN ('failed', 'lost')"), [(0,)])

    def test_a_killed_trainer_costs_one_attempt(self):
        process = self.start("run", self.write_sweep(LONG_SWEEP), "--db", self.database, ranks=2)
        self.wait_for_rows("SELECT 1 FROM epoch")
        trainer = processes.trainers_under(process.pid)[0]
        os.kill(trainer, signal.SIGKILL)
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assert_sound()
        self.assertEqual(self.query("SELECT outcome, cause FROM attempt WHERE outcome != 'finished'"),
                         [("lost", "signal 9 (SIGKILL)")])

    def test_no_process_is_left_when_mpirun_is_killed(self):
        process = self.start("run", self.write_sweep(LONG_SWEEP), "--db", self.database, ranks=2)
        self.wait_for_rows("SELECT 1 FROM epoch")
        family = processes.descendants(process.pid)
        self.assertGreaterEqual(len(family), 4)  # two ranks and their trainers
        self.end(process)
        self.assertEqual(processes.left_after(5, family), [])

    @unittest.skipUnless(LONDON_FACES.exists(), f"{LONDON_FACES} is not there")
    def test_it_runs_on_photographs(self):
        sweep = self.write_sweep(SWEEP.replace("FACES", str(LONDON_FACES)))
        self.run_sweep(sweep, ranks=2)
        self.assert_sound()
        self.assertEqual(self.query("SELECT DISTINCT val_images, train_images FROM epoch"), [(20, 124)])


class MistakesTest(RanksweepCase):
    def test_a_wrong_sweep_is_refused_with_every_mistake_before_anything_starts(self):
        sweep = self.write_sweep(SWEEP.replace("learning_rate", "learning_rat").replace("epochs: 3", "epochs: -3"))
        for ranks in (None, 2):
            output = self.run_sweep(sweep, ranks=ranks, expect=2)
            self.assertRegex(output, r"sweep\.yaml:7:3: .*learning_rate")
            self.assertRegex(output, r"sweep\.yaml:9:\d+: .*-3")
        self.assertFalse(self.database.exists())

    def test_data_that_is_not_there_is_refused(self):
        output = self.run_sweep(self.write_sweep(SWEEP.replace("FACES", "/no/such/folder")), expect=2)
        self.assertIn("/no/such/folder", output)

    def test_a_file_that_is_no_database_is_left_as_it_is(self):
        self.database.write_text("my thesis")
        self.run_sweep(self.write_sweep(SWEEP), expect=2)
        self.assertEqual(self.database.read_text(), "my thesis")

    def test_a_wrong_option_is_bad_input(self):
        self.ranksweep("run", "--speed", "fast", expect=2)
        self.ranksweep(expect=2)

    def test_a_log_is_refused_where_it_would_lose_data(self):
        sweep = self.write_sweep(SWEEP)
        output = self.ranksweep("run", sweep, "--db", "/proc/results.db", "--journal", "wal", expect=3)
        self.assertIn("--journal wal does not work there: it is on a file system (type 0x9fa0)", output)

    def test_a_second_run_on_the_same_database_is_refused(self):
        sweep = self.write_sweep(LONG_SWEEP)
        process = self.start("run", sweep, "--db", self.database)
        self.wait_for_rows("SELECT 1 FROM attempt")
        self.assertIn(str(process.pid), self.run_sweep(sweep, expect=2))
        self.end(process)

    def test_a_missing_trainer_is_said_before_anything_starts(self):
        os.environ["RANKSWEEP_TRAINER"] = "/no/such/trainer"
        self.addCleanup(os.environ.pop, "RANKSWEEP_TRAINER")
        self.assertIn("/no/such/trainer", self.run_sweep(self.write_sweep(SWEEP), expect=3))
        self.assertFalse(self.database.exists())

    def test_trainers_inherit_what_makes_them_quick_unless_the_user_knows_better(self):
        trainer = self.folder / "trainer.sh"
        trainer.write_text(f"#!/bin/sh\nenv >> {self.folder}/environment\nexec {BIN}/ranksweep-trainer \"$@\"\n")
        trainer.chmod(0o755)
        settings = {"RANKSWEEP_TRAINER": str(trainer), "OMP_WAIT_POLICY": "active"}
        with unittest.mock.patch.dict(os.environ, settings):
            self.run_sweep(self.write_sweep(SWEEP.replace("epochs: 3", "epochs: 1")))
        environment = (self.folder / "environment").read_text().splitlines()
        self.assertIn("OMP_WAIT_POLICY=active", environment)
        self.assertIn("CUDA_DEVICE_ORDER=PCI_BUS_ID", environment)
        self.assertTrue(any(line.startswith("GLIBC_TUNABLES=glibc.malloc.hugetlb=1:") for line in environment))


if __name__ == "__main__":
    unittest.main()
