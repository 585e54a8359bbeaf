"""The trainers of examples/python_trainer in PyTorch and Keras, where .venv-tests has them (tools/setup.sh --parity)."""

import re
import shutil
import signal
import unittest

from ranksweep_case import SOURCE, RanksweepCase

PYTHON = SOURCE / ".venv-tests" / "bin" / "python"


@unittest.skipUnless(PYTHON.exists(), f"{PYTHON} is not there: tools/setup.sh --parity")
class ExternalExamplesTest(RanksweepCase):
    def example(self, name, grid, training):
        """The sweep of an example, made small."""
        shutil.copytree(SOURCE / "examples" / "python_trainer", self.folder, dirs_exist_ok=True)
        text = (self.folder / f"{name}.yaml").read_text()
        text = text.replace("path: faces", f"path: {self.faces}").replace("[python3,", f"[{PYTHON},")
        text = re.sub(r"grid:\n(  .*\n)+", f"grid: {grid}\n", text)
        return self.write_sweep(re.sub(r"training: {epochs: \d+", f"training: {{{training}", text))

    def test_a_network_of_timm_goes_on_to_the_same_losses_after_an_interruption(self):
        sweep = self.example("timm", "{model: test_resnet, learning_rate: [1e-3]}", "epochs: 4")
        process = self.start("run", sweep, "--db", self.database)
        self.wait_for_rows("SELECT 1 FROM epoch", seconds=200)  # a busy machine imports timm for a minute
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 75, output)
        self.run_sweep(sweep)
        undisturbed = self.folder / "undisturbed.db"
        self.run_sweep(sweep, database=undisturbed)
        epochs = "SELECT epoch, train_loss, val_loss, val_accuracy, val_classes_predicted FROM epoch"
        self.assertEqual(len(self.query(epochs)), 4)
        self.assertEqual(self.query(epochs), self.query(epochs, undisturbed))
        [(images,)] = self.query("SELECT val_images FROM sweep")
        self.assertEqual(self.query("SELECT DISTINCT val_images FROM epoch"), [(images,)])

    def test_a_network_of_keras_is_stopped_by_the_coordinator(self):
        sweep = self.example("keras", "{filters: [[8]], learning_rate: [1e-2, 1e-9]}", "epochs: 5")
        sweep.write_text(sweep.read_text().replace("patience: 5", "patience: 1, min_delta: 1e-3"))
        self.run_sweep(sweep)
        self.assertEqual(self.query("SELECT count(*) FROM ranking WHERE mark IN ('finished', 'collapsed')"), [(2,)])
        [(epochs,)] = self.query("SELECT epochs_done FROM ranking WHERE description = 'learning_rate=1e-09'")
        self.assertLess(epochs, 5)
        self.assertEqual(self.query("SELECT count(*) FROM epoch WHERE train_accuracy IS NULL"), [(0,)])


if __name__ == "__main__":
    unittest.main()
