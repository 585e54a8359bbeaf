"""`ranksweep drill` rehearses the death of trainers and says what was survived."""

import unittest

from ranksweep_case import RanksweepCase, four_trials


class DrillTest(RanksweepCase):
    def test_it_kills_trainers_and_compares_with_an_undisturbed_run(self):
        sweep = self.write_sweep(four_trials())
        output = self.ranksweep("drill", sweep, "-n", 2, "--kills", 3, "--folder", self.folder / "drill")
        self.assertIn("Survived: every trial ended once", output)
        killed = int(output.split(" killed; ")[0].split()[-2])
        self.assertGreater(killed, 0)
        disturbed = self.folder / "drill" / "disturbed.db"
        self.assert_sound(disturbed)
        self.assertEqual(self.query("SELECT COUNT(*), MAX(epoch) FROM trial, epoch ON epoch.trial = trial.id",
                                    disturbed), [(12, 4)])
        self.assertIn("remove it", self.ranksweep("drill", sweep, "--folder", self.folder / "drill", expect=2))

    def test_a_sweep_in_which_nothing_was_killed_is_not_called_survived(self):
        sweep = self.write_sweep("name: none\ntraining: {no_such_key: 1}\n")
        refusal = self.ranksweep("drill", sweep, "--folder", self.folder / "drill", expect=2)
        self.assertIn("no_such_key", refusal)
        self.assertIn("no trainer was killed", refusal)
        self.assertNotIn("Survived", refusal)


if __name__ == "__main__":
    unittest.main()
