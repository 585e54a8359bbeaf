"""`ranksweep doctor` on this machine, whole and broken."""

import os
import unittest

from ranksweep_case import RanksweepCase


class DoctorTest(RanksweepCase):
    def test_a_sound_machine(self):
        output = self.ranksweep("doctor", self.folder)
        for line in ("ok       trainer: ", "ok       rename and sync: work", "open files: ", "locks: work",
                     "between 2 trainers on the CPU (no GPU: NCCL not measured): ", "ok       2 ranks see each other"):
            self.assertIn(line, output)
        self.assertNotIn("ERROR", output)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_is_missing_is_an_error_with_a_remedy(self):
        output = self.ranksweep("doctor", "/no/such/folder", expect=3)
        self.assertRegex(output, r"ERROR +/no/such/folder.*\n +-> name a folder that can be written")

    def test_a_trainer_that_is_not_there(self):
        os.environ["RANKSWEEP_TRAINER"] = "/no/such/trainer"
        self.addCleanup(os.environ.pop, "RANKSWEEP_TRAINER")
        self.assertRegex(self.ranksweep("doctor", self.folder, expect=3), "ERROR .*/no/such/trainer")


if __name__ == "__main__":
    unittest.main()
