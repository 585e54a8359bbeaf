"""A sweep in shares that run apart, and a node's own disk for what trainers decode."""

import os
import signal
import unittest

from ranksweep_case import RanksweepCase, four_trials

SWEEP = four_trials(epochs=3)


class SharesTest(RanksweepCase):
    def run_share(self, sweep, share, expect=0, ranks=None):
        return self.ranksweep("run", sweep, "--db", self.database, "--share", share, expect=expect, ranks=ranks)

    def shares(self):
        return sorted(path.name for path in self.folder.glob("results.shares*/*"))

    def test_the_last_share_makes_the_database_of_the_whole(self):
        sweep = self.write_sweep(SWEEP)
        output = self.run_share(sweep, "2/2")
        self.assertIn("results.db will be made when all shares are done: 1/2 has not begun", output)
        self.assertNotIn("To see the ranking", output)
        self.assertEqual(self.shares(), ["2-of-2.db"])
        self.ranksweep("status", self.database, "--done", "--share", "2/2")
        self.ranksweep("status", self.database, "--done", "--share", "1/2", expect=75)
        self.ranksweep("status", self.database, "--done", expect=75)
        self.assertRegex(self.ranksweep("status", self.database), r"2/2 +0 +0 +2 +0 +0")

        output = self.run_share(sweep, "1/2", ranks=2)
        self.assertIn("gathered: 4 trials of 2 databases, 0 of them in more than one: 4 finished", output)
        self.assertIn("To see the ranking", output)
        self.assertEqual(list(self.folder.glob("results.shares*")), [])
        self.ranksweep("status", self.database, "--done", "--share", "1/2")
        self.ranksweep("status", self.database, "--done")
        self.expect_undisturbed_ranking(sweep)
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT trial) FROM attempt"), [(4, 4)])
        self.ranksweep("predict", self.database, self.faces / "val")  # finds the checkpoints

        # Nothing is left, so any share does nothing.
        self.assertIn("4 trials done before", self.run_share(sweep, "2/2"))
        # The plan grows: what is new is dealt, what has been trained stays.
        wider = self.write_sweep(SWEEP.replace("[1e-3, 3e-4]", "[1e-3, 3e-4, 1e-4]"), "wider.yaml")
        self.assertIn("1 trial on", self.run_share(wider, "1/2"))
        self.assertEqual(len(self.ranking()), 4)
        journal = self.folder / "results.db-journal"
        journal.touch()
        self.assertIn("cannot be replaced", self.run_share(wider, "2/2", expect=3))
        journal.unlink()
        self.run_share(wider, "2/2")
        self.expect_undisturbed_ranking(wider, trials=6)
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT trial) FROM attempt"), [(6, 6)])

    def test_what_is_dealt_is_not_dealt_anew(self):
        sweep = self.write_sweep(SWEEP)
        self.run_share(sweep, "2/2")
        self.assertIn("dealt into 2 shares before", self.run_share(sweep, "1/3", expect=2))
        # Trials that came into the file meanwhile are missed.
        wider = self.write_sweep(SWEEP.replace("[1e-3, 3e-4]", "[1e-3, 3e-4, 1e-4]"), "wider.yaml")
        self.assertIn("came into the sweep file meanwhile", self.run_share(wider, "1/2"))
        self.run_share(wider, "2/2")
        self.expect_undisturbed_ranking(wider, trials=6)

    def test_a_share_goes_on_and_its_scratch_folder_goes_with_it(self):
        sweep = self.write_sweep(four_trials(epochs=8))
        scratch = self.folder / "scratch"
        cache = scratch / f"ranksweep-{os.getuid()}"
        one = ("run", sweep, "--db", self.database, "--share", "1/2", "--scratch", scratch)
        process = self.start(*one)
        self.wait_for_rows("SELECT 1 FROM epoch", database=self.folder / "results.shares" / "1-of-2.db")
        self.assertEqual(len(list(cache.glob("*.images"))), 1)
        process.send_signal(signal.SIGTERM)
        self.assertIn("run the same command again", process.communicate(timeout=60)[0])
        self.assertEqual(process.returncode, 75)
        self.assertEqual(list(scratch.iterdir()), [])
        self.ranksweep(*one)
        self.run_share(sweep, "2/2", ranks=2)
        self.assertEqual(list(scratch.iterdir()), [])
        self.expect_undisturbed_ranking(sweep)

    def test_what_cannot_be_is_refused(self):
        sweep = self.write_sweep(SWEEP)
        for share in ("2", "3/2", "0/2", "a/b"):
            self.assertIn("such as 2/4", self.run_share(sweep, share, expect=2))
        output = self.ranksweep("run", sweep, "--db", self.database, "--scratch", sweep, expect=3)
        self.assertIn("name a folder with --scratch", output)
        self.assertFalse(self.database.exists())


if __name__ == "__main__":
    unittest.main()
