"""The door of examples/door opens for enough smiles among the last frames, and for nothing else."""

import importlib.util
import json
import shutil
import subprocess
import sys
import unittest

from ranksweep_case import BIN, SOURCE, RanksweepCase

SWEEP = """
name: door
data: {path: FACES, image_size: 48}
training: {architecture: simple_cnn, epochs: 3, batch_size: 16}
"""
DOOR = SOURCE / "examples" / "door" / "door.py"


class DoorTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trained = cls.train(SWEEP)
        faces = sorted((cls.faces / "val").rglob("*.jpg"))
        rows = json.loads(subprocess.run(
            [BIN / "ranksweep", "predict", cls.trained, *faces, "--threshold", "0.5", "--format", "json"],
            check=True, capture_output=True).stdout)
        by_class = {name: [face for face, row in zip(faces, rows) if row["class"] == name]
                    for name in ("smile", "neutral")}
        cls.smile, cls.neutral = by_class["smile"][0], by_class["neutral"][0]

    def setUp(self):
        super().setUp()
        self.frames = self.folder / "frames"
        self.frames.mkdir()

    def show(self, *faces):
        for face in faces:
            shutil.copy(face, self.frames / f"{len(list(self.frames.iterdir())):03}.jpg")

    def door(self, *options, expect=0):
        """The entries of the log, and how often the door was opened."""
        opened = self.folder / "opened"
        script = self.folder / "open.sh"
        script.write_text(f"#!/bin/sh\necho open >> {opened}\n")
        script.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-B", DOOR, self.trained, "--folder", self.frames, "--open", script, "--threshold", "0.5",
             "--once", "--ranksweep", BIN / "ranksweep", *options], text=True, capture_output=True)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        if expect != 0:
            return done.stderr
        log = [json.loads(line) for line in done.stdout.splitlines()]
        return log, len(opened.read_text().splitlines()) if opened.exists() else 0

    def test_it_opens_for_k_of_n_frames_and_then_wants_new_smiles(self):
        self.show(self.smile, self.neutral, self.neutral, self.smile, self.neutral, self.smile, self.smile)
        log, opened = self.door("--smiles", "2", "--frames", "3")
        self.assertEqual([entry["smile"] for entry in log], [True, False, False, True, False, True, True])
        # The first two smiles are too far apart, and the last one follows an opening.
        self.assertEqual([entry["opens"] for entry in log], [False] * 5 + [True, False])
        self.assertEqual([entry["smiles"] for entry in log], [1, 1, 1, 1, 1, 2, 1])
        self.assertEqual(opened, 1)

    def test_what_is_no_image_or_has_no_face_opens_nothing(self):
        (self.frames / "000.jpg").write_text("no image")
        (self.frames / "notes.txt").write_text("not looked at")
        log, opened = self.door("--smiles", "1", "--frames", "1")
        self.assertEqual(([entry["smiling"] for entry in log], opened), ([[None]], 0))
        self.show(self.smile)
        log, opened = self.door("--smiles", "1", "--frames", "1", "--detector", "true")
        self.assertEqual(([entry["faces"] for entry in log], opened), ([0, 0], 0))

    def test_a_detector_of_ones_own_cuts_out_the_faces(self):
        detector = self.folder / "detector.sh"
        detector.write_text(f"#!/bin/sh\ncp {self.neutral} $2/a.jpg\ncp $1 $2/b.jpg\n")
        detector.chmod(0o755)
        self.show(self.smile, self.neutral)
        log, opened = self.door("--smiles", "1", "--frames", "1", "--detector", str(detector))
        self.assertEqual([(entry["faces"], entry["opens"]) for entry in log], [(2, True), (2, False)])
        self.assertEqual(opened, 1)

    def test_what_cannot_be_done_is_said(self):
        self.show(self.smile)
        self.assertIn("there is no class `laugh`", self.door("--class", "laugh", expect=2))
        self.assertIn("can never be", self.door("--smiles", "3", "--frames", "2", expect=2))
        if importlib.util.find_spec("cv2") is None:
            self.assertIn("apt install python3-opencv", self.door("--detector", "opencv", expect=1))


if __name__ == "__main__":
    unittest.main()
