"""An architecture without C++: tools/export_architecture.py writes it, a sweep trains it beside ours."""

import csv
import io
import json
import subprocess
import unittest
from pathlib import Path

from ranksweep_case import BIN, SOURCE, RanksweepCase

PYTHON = SOURCE / ".venv-tests" / "bin" / "python"
CPP_EXAMPLE = BIN / "exported_model_classify"

ARCHITECTURES = """
import torch

class Base(torch.nn.Module):
    def __init__(self, end=torch.nn.Identity()):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, stride=2)
        self.norm = torch.nn.BatchNorm2d(8)
        self.second = torch.nn.Conv2d(8, 16, 3, stride=2)
        self.dropout = torch.nn.Dropout(0.1)
        self.end = end

    def forward(self, x):
        return self.end(self.dropout(torch.relu(self.second(torch.relu(self.norm(self.first(x)))))))

def base():
    return Base()

def flat():
    return Base(torch.nn.Flatten())

def idle():
    module = Base()
    module.unused = torch.nn.Linear(2, 2)
    return module

# Files that the tool would not write.
if __name__ == "__main__":
    facts = {"ranksweep.json": '{"normalization": "imagenet", "image_size": [32, 32], '
                               '"multiply_adds": 1, "activations": 1}'}
    torch.jit.script(base()).save("silent.pt")
    torch.jit.script(flat()).save("flat.pt", _extra_files=facts)
"""
SWEEP = """
name: torchscript
data: {path: FACES, image_size: 32}
grid:
  architecture: [{torchscript: ../mine.pt}]
  training: [frozen, full]
  learning_rate: [1e-2, 1e-3]
training: {epochs: 3, batch_size: 16, early_stopping: false}
execution: {threads: 1}
"""


@unittest.skipUnless(PYTHON.exists(), f"{PYTHON} is not there: tools/setup.sh --parity")
class TorchScriptTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.code = cls.shared_folder / "architectures.py"
        cls.code.write_text(ARCHITECTURES)
        subprocess.run([PYTHON, cls.code], cwd=cls.shared_folder, check=True, capture_output=True)
        cls.said = cls.export("base", cls.shared_folder / "mine.pt")
        cls.trained = cls.train(SWEEP.replace("../", ""))

    @classmethod
    def export(cls, function, output, expect=0):
        done = subprocess.run([PYTHON, "-B", SOURCE / "tools" / "export_architecture.py", f"{cls.code}:{function}", "-o",
                               output, "--normalization", "minus1_1", "--image-size", "32", "32"], text=True,
                              capture_output=True)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def test_it_is_trained_frozen_and_full_and_keeps_what_it_learned(self):
        self.assertEqual(self.query("SELECT COUNT(*) FROM ranking WHERE best_epoch IS NOT NULL", self.trained), [(4,)])
        base = 3 * 8 * 9 + 8 + 2 * 8 + 8 * 16 * 9 + 16
        self.assertIn(f"{base:,} parameters", self.said)
        head = 16 * 256 + 256 + 256 + 1
        self.assertEqual(self.query("SELECT DISTINCT network_parameters FROM trial", self.trained), [(base + head,)])
        for trial, accuracy in self.query("SELECT trial, val_accuracy FROM ranking WHERE rank IS NOT NULL",
                                          self.trained):
            rows = list(csv.DictReader(io.StringIO(self.ranksweep(
                "predict", self.trained, self.faces / "val", "--trial", trial, "--format", "csv"))))
            right = sum(row["class"] == row["image"].split("/")[-2] for row in rows)
            self.assertEqual(right / len(rows), accuracy)

    def test_a_second_run_gives_the_same_bits(self):
        sweep = self.write_sweep(SWEEP)
        self.run_sweep(sweep)
        self.ranksweep("compare", self.trained, self.database)

    def test_the_check_knows_its_cost_and_its_mistakes(self):
        self.assertIn("torchscript:mine", self.ranksweep("check", self.write_sweep(
            SWEEP.replace("[{torchscript: ../mine.pt}]", "[{torchscript: ../mine.pt}, simple_cnn]"))))
        for file, message in [("../flat.pt", "gives [1, 784] for one image"),
                              ("../silent.pt", "write it with tools/export_architecture.py"),
                              ("../architectures.py", "is no TorchScript file")]:
            said = self.ranksweep("check", self.write_sweep(SWEEP.replace("../mine.pt", file)), expect=2)
            self.assertIn(message, said)

    def test_the_tool_refuses_what_cannot_be_trained(self):
        place = self.folder / "model.pt"
        self.assertIn("feature maps [N, channels, height, width] are wanted", self.export("flat", place, expect=1))
        self.assertIn("have no part in the feature maps: unused.weight", self.export("idle", place, expect=1))
        self.assertIn("has no function nothing", self.export("nothing", place, expect=1))
        self.assertFalse(place.exists())

    def test_its_winner_leaves_the_house_too(self):
        self.ranksweep("export", self.trained, "-o", self.folder / "model")
        images = sorted(map(str, (self.faces / "val").rglob("*.jpg")))[:9]
        done = subprocess.run([CPP_EXAMPLE, self.folder / "model" / "model.pt", *images], check=True, text=True,
                              capture_output=True)
        rows = json.loads(self.ranksweep("predict", self.trained, *images, "--format", "json"))
        for line, row in zip(done.stdout.splitlines(), rows, strict=True):
            self.assertAlmostEqual(float(line.split("\t")[2]), row["p_" + line.split("\t")[1]], delta=1e-5)


if __name__ == "__main__":
    unittest.main()
