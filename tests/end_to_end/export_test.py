"""A trial's network leaves the house: what `ranksweep export` writes classifies images that no training has
seen as `ranksweep predict` does, from a C++ program and from a Python one that know nothing of ranksweep."""

import json
import subprocess
import unittest
from pathlib import Path

from ranksweep_case import BIN, LONDON_FACES, SOURCE, RanksweepCase

SWEEP = """
name: export
data: {path: FACES, image_size: 40}
grid: {normalization: [scale_0_1, caffe]}
training: {architecture: simple_cnn, epochs: 2, batch_size: 16}
"""
CPP_EXAMPLE = BIN / "exported_model_classify"
PYTHON = SOURCE / ".venv-tests" / "bin" / "python"
PYTHON_EXAMPLE = SOURCE / "examples" / "exported_model" / "classify.py"


class ExportTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trained = cls.train(SWEEP)
        if LONDON_FACES.exists():
            cls.photographs = cls.train(SWEEP, "photographs", LONDON_FACES)
        # Other persons, in a size that is decoded at half of it.
        cls.unseen = cls.shared_folder / "unseen"
        subprocess.run([BIN / "ranksweep", "make-faces", cls.unseen, "--persons", "8", "--seed", "9", "--size", "96"],
                       check=True, capture_output=True)

    def export(self, *options, database=None, expect=0):
        return self.ranksweep("export", database or self.trained, "-o", self.folder / "model", *options,
                              expect=expect)

    def images(self, folder):
        return sorted(str(path) for path in Path(folder).rglob("*.jpg"))[:24]

    def predicted(self, images, *options, database=None):
        rows = json.loads(self.ranksweep("predict", database or self.trained, *images, "--format", "json", *options))
        return {row["image"]: {key[2:]: row[key] for key in row if key.startswith("p_")} for row in rows}

    def from_cpp(self, images):
        done = subprocess.run([CPP_EXAMPLE, self.folder / "model" / "model.pt", *images], check=True, text=True,
                              capture_output=True)
        rows = (line.split("\t") for line in done.stdout.splitlines())
        return {row[0]: dict(zip(row[1::2], map(float, row[2::2]))) for row in rows}

    def from_python(self, images):
        done = subprocess.run([PYTHON, PYTHON_EXAMPLE, self.folder / "model" / "model.pt", *images], check=True,
                              text=True, capture_output=True)
        rows = map(json.loads, done.stdout.splitlines())
        return {row.pop("image"): row for row in rows}

    def assert_same(self, given, expected):
        self.assertEqual(given.keys(), expected.keys())
        for image, probabilities in expected.items():
            self.assertEqual(given[image].keys(), probabilities.keys())
            for name, probability in probabilities.items():
                self.assertAlmostEqual(given[image][name], probability, delta=1e-5, msg=image)

    def test_the_cpp_example_classifies_as_predict_does(self):
        for trial, in self.query("SELECT trial FROM ranking", self.trained):
            self.folder = Path(self.folder) / trial
            self.folder.mkdir()
            self.export("--trial", trial)
            images = self.images(self.unseen)
            self.assert_same(self.from_cpp(images), self.predicted(images, "--trial", trial))

    @unittest.skipUnless(PYTHON.exists(), f"{PYTHON} is not there: tools/setup.sh --parity")
    def test_the_python_example_classifies_as_predict_does(self):
        self.export()
        images = self.images(self.unseen)
        self.assert_same(self.from_python(images), self.predicted(images))

    @unittest.skipUnless(LONDON_FACES.exists(), f"{LONDON_FACES} is not there")
    def test_the_cpp_example_classifies_photographs_as_predict_does(self):
        self.export(database=self.photographs)
        images = self.images(LONDON_FACES / "val")
        self.assert_same(self.from_cpp(images), self.predicted(images, database=self.photographs))

    @unittest.skipUnless(LONDON_FACES.exists(), f"{LONDON_FACES} is not there")
    @unittest.skipUnless(PYTHON.exists(), f"{PYTHON} is not there: tools/setup.sh --parity")
    def test_the_python_example_classifies_photographs_as_predict_does(self):
        self.export(database=self.photographs)
        images = self.images(LONDON_FACES / "val")
        self.assert_same(self.from_python(images), self.predicted(images, database=self.photographs))

    def test_the_card_says_what_it_is(self):
        self.export()
        card = (self.folder / "model" / "README.md").read_text()
        rank, loss = self.query("SELECT trial, val_loss FROM ranking WHERE rank = 1", self.trained)[0]
        self.assertIn(f"Trial {rank} of the sweep export, rank 1.", card)
        self.assertIn(f"{loss:.4f}", card)
        ranked = self.query("SELECT COUNT(rank) FROM ranking", self.trained)[0][0]
        self.assertEqual(f"{ranked} trials were ranked by these same images" in card, ranked > 1)
        self.assertIn("neutral or smile", card)
        self.assertEqual((self.folder / "model" / "classes.txt").read_text(), "neutral\nsmile\n")

    def test_nothing_is_overwritten_and_nothing_half_remains(self):
        self.export()
        self.assertIn("is there already", self.export(expect=2))
        self.assertIn("no trial of the plan begins with 'zz'", self.export("--trial", "zz", expect=2))
        moved = self.folder / "moved.db"
        moved.write_bytes(self.trained.read_bytes())
        self.ranksweep("export", moved, "-o", self.folder / "other", expect=2)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["model", "moved.db"])


if __name__ == "__main__":
    unittest.main()
