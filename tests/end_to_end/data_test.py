"""What a sweep makes of data with faults in them."""

import shutil
import unittest

from ranksweep_case import RanksweepCase

SWEEP = """
name: data
data: {{path: {faces}, image_size: 32, {setting}}}
training: {{architecture: simple_cnn, epochs: 1, batch_size: 32, precision: float32, memory_format: channels_last}}
"""


class DataTest(RanksweepCase):
    def setUp(self):
        super().setUp()
        self.own_faces = self.folder / "faces"
        shutil.copytree(self.faces, self.own_faces)
        self.train = sorted((self.own_faces / "train" / "smile").rglob("*.jpg"))
        self.validation = sorted((self.own_faces / "val" / "smile").rglob("*.jpg"))

    def sweep(self, setting):
        return self.write_sweep(SWEEP.format(faces=self.own_faces, setting=setting))

    def test_files_that_are_skipped_are_in_the_database_and_in_the_status(self):
        images = len(list((self.own_faces / "train").rglob("*.jpg")))
        self.train[0].write_bytes(b"")
        self.train[1].write_bytes(self.train[1].read_bytes()[:300])
        self.run_sweep(self.sweep("on_bad_file: skip"), ranks=2)
        names = [str(path.relative_to(self.own_faces)) for path in self.train[:2]]
        self.assertEqual(self.query("SELECT file FROM skipped_file ORDER BY file"), [(name,) for name in names])
        self.assertEqual(self.query("SELECT reason FROM skipped_file ORDER BY file LIMIT 1"), [("is empty",)])
        self.assertEqual(self.query("SELECT train_images FROM epoch"), [(images - 2,)])
        self.assertIn(names[1], self.ranksweep("status", self.database))
        self.assertEqual(self.query("SELECT precision, memory_format FROM attempt"), [("float32", "channels_last")])

    def test_leakage_is_said_and_recorded(self):
        shutil.copy(self.train[0], self.validation[0])
        output = self.run_sweep(self.sweep("on_leakage: warn"))
        self.assertIn("warning: validation is told what training has seen", output)
        names = [str(path.relative_to(self.own_faces)) for path in (self.train[0], self.validation[0])]
        sentence = f"{names[0]} (train) and {names[1]} (val) have the same bytes"
        self.assertIn(sentence, output)
        self.assertEqual(self.query("SELECT message FROM event WHERE kind = 'leakage'"), [(sentence,)])

    def test_leakage_is_refused_before_anything_starts_where_the_sweep_says_so(self):
        shutil.copy(self.train[0], self.validation[0])
        output = self.run_sweep(self.sweep("on_leakage: fail"), expect=2)
        self.assertIn("have the same bytes", output)
        self.assertFalse(self.database.exists())


if __name__ == "__main__":
    unittest.main()
