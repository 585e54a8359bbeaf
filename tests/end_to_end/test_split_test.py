"""Single images: what networks make of them is kept, and a test split is evaluated on the winner, once."""

import csv
import io
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import time
import unittest

from ranksweep_case import BIN, SOURCE, RanksweepCase

SWEEP = """
name: tested
data: {path: FACES, image_size: 32}
grid: {learning_rate: [1e-3, 3e-4]}
training: {architecture: simple_cnn, epochs: 4, batch_size: 16}
execution: {threads: 1}
"""

# Debian's own, which has python3-numpy (tools/setup.sh --tests).
PYTHON_WITH_NUMPY = "/usr/bin/python3"


class TestSplitTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        others = cls.shared_folder / "others"
        subprocess.run([BIN / "ranksweep", "make-faces", others, "--persons", "8", "--seed", "9", "--size", "48"],
                       check=True, capture_output=True)
        shutil.move(others / "train", cls.faces / "test")
        cls.sweep = cls.shared_folder / "sweep.yaml"
        cls.sweep.write_text(SWEEP.replace("FACES", str(cls.faces)))
        cls.trained = cls.shared_folder / "trained.db"
        subprocess.run([BIN / "ranksweep", "run", cls.sweep, "--db", cls.trained], check=True, capture_output=True)
        cls.test_images = len(list((cls.faces / "test").rglob("*.jpg")))

    def stored_results(self, database=None):
        return self.query("SELECT identity, test_result.epoch, loss, accuracy, images, log_probabilities "
                          "FROM test_result JOIN trial ON trial.id = trial", database or self.trained)

    def forget_test_result(self):
        connection = sqlite3.connect(self.database)
        connection.execute("DELETE FROM test_result")
        connection.commit()
        connection.close()

    def test_the_winner_alone_was_tested_and_every_image_counts_once(self):
        [(trial, epoch, loss, accuracy, images, blob)] = self.stored_results()
        self.assertEqual([(trial, epoch)],
                         self.query("SELECT trial, best_epoch FROM ranking WHERE rank = 1", self.trained))
        self.assertEqual(images, self.test_images)
        self.assertEqual(len(blob), images * 2 * 4)
        rows = list(csv.DictReader(io.StringIO(
            self.ranksweep("predict", self.trained, self.faces / "test", "--format", "csv"))))
        right = sum(row["class"] == row["image"].split("/")[-2] for row in rows)
        self.assertEqual(right / len(rows), accuracy)

    def test_an_ensemble_is_measured_on_images_that_chose_nothing(self):
        rows = list(csv.DictReader(io.StringIO(subprocess.run(
            self.command("ensemble", self.trained, "--best", 2, "--format", "csv"), text=True, capture_output=True,
            check=True).stdout)))
        best, average, difference = rows
        [(_, _, loss, accuracy, images, _)] = self.stored_results()
        self.assertEqual(int(best["images"]), images)
        self.assertAlmostEqual(float(best["loss"]), loss, delta=1e-5)
        self.assertAlmostEqual(float(best["accuracy"]), accuracy, delta=1e-9)
        self.assertEqual(average["trials"].split(), [trial[:8] for trial, in self.query(
            "SELECT trial FROM ranking ORDER BY rank", self.trained)])
        self.assertAlmostEqual(float(difference["loss"]), float(average["loss"]) - float(best["loss"]), delta=1e-9)
        said = self.ranksweep("ensemble", self.trained, "--best", 2)
        self.assertIn(f"on the {images} images of the test split, which chose nothing", said)
        self.assertIn("--best 3: ", self.ranksweep("ensemble", self.trained, "--best", 3, expect=2))

    def test_it_is_shown_beside_validation(self):
        [(_, _, loss, accuracy, _, _)] = self.stored_results()
        rows = list(csv.DictReader(io.StringIO(self.ranksweep("rank", self.trained, "--format", "csv"))))
        self.assertEqual([row["test_loss"] == "" for row in rows], [False, True])
        self.assertEqual(float(rows[0]["test_loss"]), loss)
        self.assertEqual(float(rows[0]["test_accuracy"]), accuracy)
        self.assertIn("test acc", self.ranksweep("status", self.trained))
        report = self.folder / "report.md"
        self.ranksweep("report", self.trained, "-o", report)
        self.assertIn(f"On the {self.test_images} images of the test split", report.read_text())

    def test_the_same_command_makes_up_for_an_interruption_and_does_nothing_twice(self):
        self.copy_trained()
        self.forget_test_result()
        self.run_sweep(self.sweep, ranks=2)
        self.assertEqual(self.stored_results(self.database), self.stored_results())
        evaluated = "SELECT evaluated_at FROM test_result"
        before = self.query(evaluated)
        self.run_sweep(self.sweep)
        self.assertEqual(self.query(evaluated), before)

    def test_a_signal_ends_the_evaluation_and_the_same_command_makes_up_for_it(self):
        self.copy_trained()
        self.forget_test_result()
        slow = self.folder / "slow_trainer"
        slow.write_text(f"#!/bin/sh\n[ \"$1\" != test ] || {{ touch {self.folder}/begun; sleep 1000; }}\n"
                        f"exec {BIN}/ranksweep-trainer \"$@\"\n")
        slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
        os.environ["RANKSWEEP_TRAINER"] = str(slow)
        self.addCleanup(os.environ.pop, "RANKSWEEP_TRAINER", None)
        process = self.start("run", self.sweep, "--db", self.database)
        self.wait_for_file(self.folder / "begun")
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 75, output)
        self.assertIn("2 of 2 trials done but not the test split", output)
        self.assertEqual(self.stored_results(self.database), [])
        os.environ.pop("RANKSWEEP_TRAINER")
        self.run_sweep(self.sweep)
        self.assertEqual(self.stored_results(self.database), self.stored_results())

    def test_of_shares_the_last_to_be_done_evaluates_it(self):
        for share in ("1/3", "2/3", "3/3"):  # one of two trials is empty
            self.assertFalse(self.database.exists())
            self.ranksweep("run", self.sweep, "--db", self.database, "--share", share, ranks=2)
        self.assertEqual(self.stored_results(self.database), self.stored_results())

    def test_what_cannot_be_evaluated_is_said(self):
        shutil.copy(self.trained, self.database)  # without the checkpoints
        self.forget_test_result()
        output = self.run_sweep(self.sweep, expect=3)
        self.assertIn("the test split could not be evaluated on the best", output)
        self.assertIn("was one moved without the other?", output)

    def test_predictions_give_the_losses_of_the_ranking_and_of_the_documentation(self):
        page = (SOURCE / "docs" / "results.md").read_text()
        example = re.search(r"```python\n(.*?)```", page, re.S)[1]
        shutil.copy(self.trained, self.database)
        output = subprocess.run([PYTHON_WITH_NUMPY, "-c", example], cwd=self.folder, text=True,
                                capture_output=True)
        self.assertEqual(output.returncode, 0, output.stderr)
        [(loss, accuracy)] = self.query("SELECT val_loss, val_accuracy FROM ranking WHERE rank = 1")
        self.assertIn(f"loss {loss:.4f}, accuracy {accuracy:.4f}\n", output.stdout)
        worst = re.search(r"worst image: (\S+)", output.stdout)[1]
        self.assertTrue((self.faces / worst).exists())

    def test_predictions_survive_interruptions_bit_for_bit(self):
        predictions = ("SELECT identity, epoch, loss_low, loss_high, log_probabilities FROM prediction "
                       "JOIN trial ON trial.id = trial ORDER BY identity")
        for epochs, stop in ((1, signal.SIGTERM), (3, signal.SIGKILL), (5, signal.SIGTERM)):
            process = self.start("run", self.sweep, "--db", self.database)
            self.wait_for_rows(f"SELECT 1 WHERE (SELECT COUNT(*) FROM epoch) >= {epochs}")
            process.send_signal(stop)
            process.communicate(timeout=60)
        self.run_sweep(self.sweep)
        self.assertEqual(self.query(predictions), self.query(predictions, self.trained))
        self.assertEqual(len(self.query(predictions)), 2)

    def wait_for_file(self, path):
        deadline = time.monotonic() + 60
        while not path.exists():
            self.assertLess(time.monotonic(), deadline, f"{path} was not made")
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main()
