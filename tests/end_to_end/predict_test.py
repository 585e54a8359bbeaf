"""The winner goes to work: `ranksweep predict` classifies images with the best trial of a sweep."""

import csv
import io
import json
import math
import subprocess
import unittest

from ranksweep_case import RanksweepCase

SWEEP = """
name: predict
data: {path: FACES, image_size: 48}
grid: {learning_rate: [1e-3, 1e-4]}
training: {architecture: simple_cnn, epochs: 3, batch_size: 16}
"""


class PredictTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trained = cls.train(SWEEP)

    def predict(self, *arguments, expect=0):
        return self.ranksweep("predict", self.trained, *arguments, expect=expect)

    def test_validation_images_get_the_loss_and_accuracy_of_the_ranking(self):
        for trial, val_loss, val_accuracy in self.query(
                "SELECT trial, val_loss, val_accuracy FROM ranking", self.trained):
            rows = list(csv.DictReader(io.StringIO(
                self.predict(self.faces / "val", "--trial", trial[:8], "--format", "csv"))))
            labels = [row["image"].split("/")[-2] for row in rows]
            right = sum(row["class"] == label for row, label in zip(rows, labels))
            self.assertEqual(right / len(rows), val_accuracy)
            losses = [-math.log(float(row["p_" + label])) for row, label in zip(rows, labels)]
            self.assertAlmostEqual(sum(losses) / len(losses), val_loss, delta=1e-5)

    def test_the_best_trial_is_taken_by_itself(self):
        best = self.query("SELECT trial FROM ranking WHERE rank = 1", self.trained)[0][0]
        images = self.faces / "val"
        self.assertEqual(self.predict(images), self.predict(images, "--trial", best))

    def test_bad_images_are_told_and_the_rest_go_on(self):
        good = next((self.faces / "val").rglob("*.jpg"))
        bad = self.folder / "a, \"b\"\n\xff.jpg"
        bad.write_text("no image")
        done = subprocess.run(self.command("predict", self.trained, bad, good, self.folder / "none.jpg",
                                           "--format", "json"), text=True, capture_output=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 images could not be classified", done.stderr)
        rows = json.loads(done.stdout)
        self.assertEqual([row["error"] for row in rows],
                         ["is neither a JPEG nor a PNG image", None, "cannot be read: No such file or directory"])
        self.assertEqual([row["class"] is None for row in rows], [True, False, True])

    def test_paths_come_from_standard_input(self):
        images = sorted(str(path) for path in (self.faces / "val").rglob("*.jpg"))
        done = subprocess.run(self.command("predict", self.trained, "-"), input="\n".join(images), text=True,
                              capture_output=True, check=True)
        self.assertEqual(done.stdout, self.predict(*images))

    def test_a_threshold_moves_the_decision(self):
        def smiles(threshold):
            rows = json.loads(self.predict(self.faces / "val", "--threshold", threshold, "--class", "smile",
                                           "--format", "json"))
            for row in rows:
                self.assertEqual(row["class"] == "smile", row["p_smile"] >= threshold)
            return sum(row["class"] == "smile" for row in rows)

        self.assertEqual(smiles(1), 0)
        self.assertEqual(smiles(0), len(list((self.faces / "val").rglob("*.jpg"))))

    def test_what_cannot_be_done_is_said(self):
        image = next((self.faces / "val").rglob("*.jpg"))
        self.assertIn("there is no class `door`; the trial knows neutral, smile",
                      self.predict(image, "--threshold", 0.5, "--class", "door", expect=2))
        self.assertIn("no trial of the plan begins with 'zz'", self.predict(image, "--trial", "zz", expect=2))
        moved = self.folder / "moved.db"
        moved.write_bytes(self.trained.read_bytes())
        self.assertIn("was one moved without the other?",
                      self.ranksweep("predict", moved, image, expect=2))
        empty = self.folder / "empty"
        empty.mkdir()
        self.assertIn("there is no image to classify", self.predict(empty, expect=2))


if __name__ == "__main__":
    unittest.main()
