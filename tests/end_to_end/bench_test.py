"""`ranksweep bench` measures the machine; the figures are the machine's, so only their presence is tested."""

import json
import unittest

from ranksweep_case import RanksweepCase


class BenchTest(RanksweepCase):
    def test_every_part_is_measured_and_nothing_stays_behind(self):
        output = self.ranksweep("bench", "--folder", self.folder, "--architectures", "simple_cnn", "--steps", "1",
                                "--seconds", "0.3", "--format", "json")
        rows, _ = json.JSONDecoder().raw_decode(output[output.index("["):])  # what else is said comes after
        self.assertEqual([row["unit"] for row in rows], ["s", "1/s", "1/s", "1/s"])
        for row in rows:
            self.assertGreater(row["value"], 0, row)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_an_unknown_architecture_is_refused(self):
        self.assertIn("simple_cnn", self.ranksweep("bench", "--architectures", "simple_cn", expect=2))


if __name__ == "__main__":
    unittest.main()
