"""Trials with one frozen base share its passes, and nobody can tell from their results."""

import os
import re
import shutil
import unittest

from ranksweep_case import RanksweepCase

EPOCHS = 3
SWEEP = f"""
name: frozen
data: {{path: FACES, image_size: 48}}
grid:
  augmentation: [none, standard]
  learning_rate: [1e-2, 1e-3]
  head: [{{dense: [16]}}, {{dense: [32]}}]
training: {{architecture: simple_cnn, training: frozen, epochs: {EPOCHS}, batch_size: 16}}
"""
# Of the training images as they are, of those of each epoch, and of the validation images.
PASSES = 1 + EPOCHS + 1
USED = 4 * 2 + 4 * (EPOCHS + 1)


class FrozenTest(RanksweepCase):
    def use_cache(self, name):
        os.environ["RANKSWEEP_CACHE"] = str(self.folder / name)

    def passes_of(self, output):
        ran, saved = re.search(r"frozen bases ran (\d+) times? over a set of images; sharing saved (-?\d+) run",
                               output).groups()
        return int(ran), int(saved)

    def assert_same_losses(self, first, second):
        losses = [dict(self.query("SELECT trial, val_loss FROM ranking", database)) for database in (first, second)]
        self.assertEqual(len(losses[0]), 8)
        self.assertEqual(losses[0].keys(), losses[1].keys())
        for trial, loss in losses[0].items():
            self.assertAlmostEqual(loss, losses[1][trial], delta=1e-5)

    def test_each_pass_runs_once_on_any_number_of_ranks(self):
        sweep = self.write_sweep(SWEEP)
        databases = []
        for ranks in (None, 2):
            self.use_cache(f"cache-{ranks}")
            databases.append(self.folder / f"{ranks}.db")
            output = self.run_sweep(sweep, ranks=ranks, database=databases[-1])
            self.assertEqual(self.passes_of(output), (PASSES, USED - PASSES))
            self.assert_sound(databases[-1])
        self.assert_same_losses(*databases)

    def test_a_later_sweep_runs_no_base_and_its_winner_classifies(self):
        sweep = self.write_sweep(SWEEP)
        self.use_cache("cache")
        self.run_sweep(sweep, database=self.folder / "first.db")
        output = self.run_sweep(sweep)
        self.assertEqual(self.passes_of(output), (0, USED))
        self.assertEqual(self.ranking(), self.ranking(self.folder / "first.db"))

        checkpoints = self.database.with_suffix(".checkpoints")
        bases = list(checkpoints.glob("base-*.safetensors"))
        self.assertEqual(len(bases), 1)
        heads = list(checkpoints.glob("*/best-*.safetensors"))
        self.assertEqual(len(heads), 8)
        for head in heads:
            self.assertLess(head.stat().st_size, bases[0].stat().st_size / 10)
        image = next((self.faces / "val").rglob("*.jpg"))
        self.assertRegex(self.ranksweep("predict", self.database, image), "neutral|smile")
        bases[0].unlink()
        self.assertIn(str(bases[0]), self.ranksweep("predict", self.database, image, expect=3))

    def test_a_cache_that_is_lost_or_damaged_in_between_changes_nothing(self):
        sweep = self.write_sweep(SWEEP)
        self.use_cache("cache")
        self.run_sweep(sweep)
        for damage in (shutil.rmtree, self.cut_all):
            damage(self.folder / "cache")
            again = self.folder / f"{damage.__name__}.db"
            self.assertEqual(self.passes_of(self.run_sweep(sweep, database=again)), (PASSES, USED - PASSES))
            self.assertEqual(self.ranking(again), self.ranking())

    def cut_all(self, folder):
        for file in folder.glob("*.features"):
            os.truncate(file, file.stat().st_size - 1)


if __name__ == "__main__":
    unittest.main()
