"""The winner goes to work: `ranksweep predict` classifies images with the best trial of a sweep."""

import csv
import io
import json
import math
import re
import sqlite3
import struct
import subprocess
import unittest

from ranksweep_case import RanksweepCase

SWEEP = """
name: predict
data: {path: FACES, image_size: 48}
grid: {learning_rate: [1e-3, 8e-4]}
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

    def test_a_precision_becomes_a_threshold_that_keeps_it_on_the_validation_images(self):
        wished = 0.75
        done = subprocess.run(self.command("predict", self.trained, self.faces / "val", "--precision", wished,
                                           "--format", "json"), text=True, capture_output=True, check=True)
        said = re.fullmatch(r"threshold (\S+) for smile: on the (\d+) validation images precision \S+ % "
                            r"\((\d+) of (\d+)\), 95 % interval \S+ to \S+ %, recall \S+ % \((\d+) of (\d+)\)\n",
                            done.stderr)
        self.assertIsNotNone(said, done.stderr)
        right, taken, found, smiling = map(int, said.groups()[2:])
        rows = json.loads(done.stdout)
        labels = [row["image"].split("/")[-2] for row in rows]
        self.assertEqual(int(said[2]), len(rows))
        self.assertEqual((right, labels.count("smile")), (found, smiling))
        self.assertGreaterEqual(right / taken, wished)
        chosen = [label for row, label in zip(rows, labels) if row["class"] == "smile"]
        self.assertEqual((len(chosen), chosen.count("smile")), (taken, right))
        # No other threshold keeps the precision and finds more.
        for limit in {row["p_smile"] for row in rows}:
            others = [label for row, label in zip(rows, labels) if row["p_smile"] >= limit]
            if others.count("smile") > right:
                self.assertLess(others.count("smile") / len(others), wished)

    def test_a_precision_that_no_threshold_reaches_is_refused_with_the_best_there_is(self):
        # A network whose surest smile is none.
        connection = sqlite3.connect(self.copy_trained())
        labels = [label for label, in connection.execute(
            "SELECT label FROM image WHERE split = 'validation' ORDER BY position")]
        sure = struct.pack("<2f", math.log(0.01), math.log(0.99))
        unsure = struct.pack("<2f", math.log(0.5), math.log(0.5))
        connection.execute("UPDATE prediction SET log_probabilities = ?",
                           [b"".join(unsure if label else sure for label in labels)])
        connection.commit()
        connection.close()
        said = self.ranksweep("predict", self.database, self.faces / "val", "--precision", 0.95, expect=2)
        self.assertIn("no threshold for `smile` reaches 95.00 %", said)
        self.assertIn("reaches 50.00 %", said)

    def test_device_and_batch_change_no_answer(self):
        images = self.faces / "val"
        expected = json.loads(self.predict(images, "--format", "json"))
        rows = json.loads(self.predict(images, "--format", "json", "--device", "cpu", "--batch", 5))
        for row, other in zip(rows, expected, strict=True):
            self.assertEqual(row["image"], other["image"])
            self.assertAlmostEqual(row["p_smile"], other["p_smile"], delta=1e-6)
        self.assertIn("is none of auto, cpu", self.predict(images, "--device", "tpu", expect=2))
        self.assertIn("finds", self.predict(images, "--device", "cuda:99", expect=3))

    def test_an_explanation_is_drawn(self):
        picture = self.folder / "why.png"
        images = sorted((self.faces / "val").rglob("*.jpg"))[:2]
        self.predict(*images, "--explain", picture)
        content = picture.read_bytes()
        self.assertEqual(content[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">2I", content[16:24])
        self.assertGreater(width, 2 * 48)
        self.assertGreater(height, 2 * 48)
        bad = self.folder / "bad.jpg"
        bad.write_text("no image")
        self.assertIn("nothing to explain", self.predict(bad, "--explain", picture, expect=2))
        self.assertIn("100 images at most",
                      self.predict(*images * 51, "--explain", picture, expect=2))

    def test_the_report_explains_the_mistakes(self):
        wrong = self.query("SELECT val_accuracy < 1 FROM ranking WHERE rank = 1", self.trained)[0][0]
        plain, explained = self.folder / "plain.html", self.folder / "explained.html"
        self.ranksweep("report", self.trained, "-o", plain)
        self.ranksweep("report", self.trained, "-o", explained, "--explain")
        self.assertEqual("red is what speaks for the mistake" in explained.read_text(), wrong)
        self.assertEqual(explained.read_text().count("<img"), plain.read_text().count("<img") * 2)
        self.assertIn("only .html has", self.ranksweep("report", self.trained, "-o", self.folder / "report.md",
                                                       "--explain", expect=2))

    def test_without_a_test_split_an_ensemble_is_cross_validated(self):
        said = self.ranksweep("ensemble", self.trained, "--best", 2)
        count = self.query("SELECT COUNT(*) FROM image WHERE split = 'validation'", self.trained)[0][0]
        self.assertIn(f"on {count} validation images, each held out from the choice of the trials", said)
        best, average, difference = json.loads(subprocess.run(
            self.command("ensemble", self.trained, "--best", 2, "--format", "json"), text=True, capture_output=True,
            check=True).stdout)
        # Which of the two is best is chosen on other images than it is measured on.
        smallest = self.query("SELECT val_loss FROM ranking WHERE rank = 1", self.trained)[0][0]
        self.assertGreaterEqual(best["loss"], smallest - 1e-6)
        self.assertLessEqual(average["loss_low"], average["loss"])
        self.assertAlmostEqual(difference["loss"], average["loss"] - best["loss"], delta=1e-9)

    def test_what_cannot_be_done_is_said(self):
        image = next((self.faces / "val").rglob("*.jpg"))
        self.assertIn("there is no class `door`; the trial knows neutral, smile",
                      self.predict(image, "--threshold", 0.5, "--class", "door", expect=2))
        self.assertIn("--class needs --threshold", self.predict(image, "--class", "smile", expect=2))
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
