"""A full disk, a place that cannot be written, a database that another program holds: with real file systems."""

import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
from ranksweep_case import RanksweepCase, four_trials  # noqa: E402

SWEEP = four_trials(execution="threads: 1, storage_patience: 2")


class StorageTest(RanksweepCase):
    def mount(self, options):
        """A file system in memory below the test's folder. Skips the test where that is not allowed."""
        place = self.folder / "mounted"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            self.skipTest("there is no mount")
        if done.returncode != 0:
            self.skipTest(f"{' '.join(command)}: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)], check=True)
        return place

    def expect_undisturbed_ranking(self, sweep, database):
        undisturbed = self.folder / "undisturbed.db"
        self.run_sweep(sweep, database=undisturbed)
        self.assert_sound(database)
        self.assertEqual(len(self.ranking(database)), 4)
        self.assertEqual(self.ranking(database), self.ranking(undisturbed))

    def test_a_full_disk_stops_the_sweep_and_it_goes_on_when_there_is_room(self):
        place = self.mount("size=600k")
        sweep = self.write_sweep(SWEEP)
        output = self.run_sweep(sweep, database=place / "results.db", expect=3)
        self.assertRegex(output, "disk is full|No space left")
        self.assertIn("run the same command again", output)
        self.assertEqual(self.query("PRAGMA integrity_check", place / "results.db"), [("ok",)])
        subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)
        self.run_sweep(sweep, ranks=2, database=place / "results.db")
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'", place / "results.db"), [(0,)])
        self.expect_undisturbed_ranking(sweep, place / "results.db")

    def test_a_disk_that_cannot_be_written_is_said_before_anything_starts(self):
        database = self.mount("ro") / "results.db"
        output = self.run_sweep(self.write_sweep(SWEEP), database=database, expect=3)
        self.assertIn(str(database), output)
        self.assertRegex(output, "[Rr]ead-only")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_cannot_be_written_is_said_before_anything_starts(self):
        place = self.folder / "locked"
        place.mkdir(mode=0o555)
        output = self.run_sweep(self.write_sweep(SWEEP), database=place / "results.db", expect=3)
        self.assertIn(str(place / "results.db"), output)

    def test_a_shell_left_in_a_transaction_loses_nothing(self):
        sweep = self.write_sweep(SWEEP.replace("storage_patience: 2", "storage_patience: 60"))
        process = self.start("run", sweep, "--db", self.database, ranks=2)
        self.wait_for_rows("SELECT 1 FROM epoch")
        shell = subprocess.Popen(["sqlite3", str(self.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(shell.stdout.close)
        shell.stdin.write(".timeout 20000\nBEGIN;\nSELECT 'held', count(*) FROM epoch;\n")
        shell.stdin.flush()
        self.assertIn("held", shell.stdout.readline())
        time.sleep(4)
        shell.stdin.write("SELECT 'still', count(*) FROM epoch;\n")
        shell.stdin.flush()
        self.assertIn("still", shell.stdout.readline())
        shell.stdin.close()
        shell.wait()
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertIn("another program holds the database", output)
        self.assertIn("the database can be written again", output)
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt"), [(4,)])
        self.expect_undisturbed_ranking(sweep, self.database)


if __name__ == "__main__":
    unittest.main()
