"""Trials of an external trainer: any program, any parameters, and every promise that the built-in one is given."""

import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import unittest
from pathlib import Path

from processes import left_after, named
from ranksweep_case import BIN, SOURCE, RanksweepCase

try:
    from jsonschema import Draft202012Validator
except ImportError:
    Draft202012Validator = None

RECORDER = Path(__file__).with_name("trainer_recorder.py")
HELPER = SOURCE / "examples" / "python_trainer" / "ranksweep_trainer.py"

# Goes down a valley whose width and steepness the parameters say, and remembers how far it has come. `fault` is what
# goes wrong in the second epoch of a trial's first attempt.
TRAIN = """
import json, os, sys, time
from ranksweep_trainer import serve

def go_wrong(fault):
    print("about to go wrong:", fault, flush=True)
    if fault == "crash": os.abort()
    if fault == "exit": os._exit(0)
    if fault == "exception": raise ValueError("no such thing")
    if fault == "garbage": os.write(3, b"this is no JSON\\n")
    if fault == "early end": os.write(3, b'{"type": "finished", "attempt": %d}\\n' % 1)
    if fault: time.sleep(1000)  # until it is killed

def train(trial):
    width, rate = trial.parameters["width"], trial.parameters["rate"]
    place = json.loads(trial.checkpoint.read_text())["place"] if trial.checkpoint else 4.0
    first_attempt = not (trial.directory / "tried").exists()
    (trial.directory / "tried").touch()
    for epoch in trial.epochs():
        with open(trial.directory / "epochs", "a") as log: print(epoch, file=log)
        if first_attempt and epoch == 2: go_wrong(trial.parameters.get("fault"))
        for step in range(1, 6):
            place -= rate * place
            time.sleep(trial.parameters.get("pause", 0))
            trial.progress(step, 5)
        loss = place * place + 1 / width + 10 * max(0, epoch - trial.parameters.get("turn", 99))
        trial.report(val_loss=loss, train_loss=place * place, **{"distance": place, "f-1": width}, save=lambda path: path.write_text(json.dumps({"place": place})))

serve(train)
"""

SWEEP = """
name: valley
trainer: {command: [python3, train.py], inputs: [train.py]}
grid:
  width: [8, 16]
  rate: [0.01, 0.1]
training: {epochs: 4, early_stopping: false}
"""


class ExternalTrainerTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        cls.shared_folder = Path(tempfile.mkdtemp(prefix="ranksweep-test-"))

    def setUp(self):
        super().setUp()
        shutil.copy(HELPER, self.folder)
        self.faces = self.folder / "faces"
        self.write_program(TRAIN)

    def write_program(self, text, name="train.py"):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def sweep(self, grid="", training="epochs: 4, early_stopping: false", execution="threads: 1"):
        return self.write_sweep(SWEEP.split("grid:")[0] + (
            f"grid: {{width: [8, 16], rate: 0.1{grid}}}\n"
            f"training: {{{training}}}\nexecution: {{{execution}}}\n"))

    @staticmethod
    def trainer_under(process):
        [trainer] = named("python3", process.pid)
        return trainer

    def attempts(self):
        return self.query("SELECT outcome, cause, message, stderr_tail FROM attempt ORDER BY id")

    def epochs_trained(self, position=1):
        [(trial,)] = self.query(f"SELECT trial FROM ranking WHERE position = {position}")
        log = self.database.with_suffix(".checkpoints") / trial / "epochs"
        return list(map(int, log.read_text().split()))

    def test_trials_have_any_parameters_and_are_ranked_by_validation_loss(self):
        sweep = self.write_sweep(SWEEP + "include:\n  - {width: 32, rate: 0.1, label: [a, {b: 1}]}\n")
        check = self.ranksweep("check", sweep)
        self.assertIn("valley: 5 trials, trained by `python3 train.py`", check)
        self.assertIn("width=8 rate=0.01", check)
        self.assertIn("20 epochs if no trial stops early", check)
        self.assertIn("the content of train.py", check)
        self.run_sweep(sweep, ranks=2)
        self.assert_sound_without_classes()
        self.assertEqual([row[1] for row in self.query("SELECT rank, description FROM ranking ORDER BY position")],
                         ['width=32 rate=0.1 label=a-{"b":1}', "width=16 rate=0.1", "width=8 rate=0.1",
                          "width=16 rate=0.01", "width=8 rate=0.01"])
        spec = json.loads(self.query("SELECT spec FROM trial JOIN ranking ON ranking.trial = identity "
                                     "WHERE rank = 1")[0][0])
        self.assertEqual(spec, {"width": 32, "rate": 0.1, "label": ["a", {"b": 1}], "epochs": 4,
                                "early_stopping": False, "devices": 1})
        self.assertEqual(self.query("SELECT value FROM environment WHERE name = 'trainer'"), [("python3 train.py",)])
        self.assertIn("5 trials", self.run_sweep(sweep))  # nothing is trained twice
        self.assertEqual(len(self.attempts()), 5)

    def assert_sound_without_classes(self):
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.query("PRAGMA foreign_key_check"), [])
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt WHERE ended_at IS NULL"), [(0,)])

    def test_every_command_makes_sense_of_trials_without_networks(self):
        sweep = self.sweep()
        self.run_sweep(sweep)
        self.assertRegex(self.ranksweep("rank", self.database), r"width .*\n +1 +\d\.\d+ +16 +finished")
        self.assertRegex(self.ranksweep("status", self.database), r"finished +2\n")
        [(best,)] = self.query("SELECT trial FROM ranking WHERE rank = 1")
        shown = self.ranksweep("show", self.database, best[:8])
        self.assertIn("width", shown)
        self.assertNotIn("accuracy 0", shown)
        for name in ("report.html", "report.md"):
            self.ranksweep("report", self.database, "-o", self.folder / name)
            report = re.sub(r"<(script|style).*?</\1>", "", (self.folder / name).read_text(), flags=re.S)
            self.assertIn("width=16", report)
            self.assertNotRegex(report, r"\b[Nn]a[Nn]\b")
        self.ranksweep("export", self.database, "--csv", self.folder / "csv")
        self.assertIn("width", (self.folder / "csv" / "trial_wide.csv").read_text())
        refusal = self.ranksweep("predict", self.database, self.folder, expect=2)
        self.assertIn(f"trial {best[:8]} was trained by `python3 train.py`: its model is that program's own", refusal)
        self.assertIn("that program's own", self.ranksweep("export", self.database, "-o", self.folder / "m", expect=2))
        self.assertIn("external trainer", self.ranksweep("preview", sweep, expect=2))

    def test_metrics_have_any_names(self):
        self.run_sweep(self.sweep())
        ranked = self.ranksweep("rank", self.database, "--metric", "f-1", "--format", "csv").splitlines()
        self.assertEqual([line.split(",")[-1] for line in ranked], ["f-1", "8", "16"])
        ranked = self.ranksweep("rank", self.database, "--metric", "f-1", "--highest", "--format", "csv").splitlines()
        self.assertEqual([line.split(",")[-1] for line in ranked], ["f-1", "16", "8"])
        self.assertIn("there is no metric 'f1'; there are val_loss, val_accuracy",
                      self.ranksweep("rank", self.database, "--metric", "f1", expect=2))
        [(best,)] = self.query("SELECT trial FROM ranking WHERE rank = 1")
        epochs = json.loads(self.ranksweep("show", self.database, best, "--format", "json"))["epochs"]
        self.assertEqual([epoch["distance"] for epoch in epochs], [epoch["train_loss"] ** 0.5 for epoch in epochs])

    def test_early_stopping_is_the_coordinators(self):
        self.run_sweep(self.sweep(grid=", turn: 2", training="epochs: 50, early_stopping: {patience: 3}"))
        self.assertEqual(self.query("SELECT best_epoch, epochs_done FROM ranking"), [(2, 5), (2, 5)])

    def test_whatever_goes_wrong_costs_one_attempt(self):
        expected = {
            "crash": ("lost", "signal 6 (SIGABRT)", "the trainer ended in mid-trial"),
            "exit": ("lost", "exit status 0", "the trainer ended in mid-trial"),
            "exception": ("failed", "internal", "ValueError: no such thing"),
            "garbage": ("lost", "trainer protocol", "not a JSON object: this is no JSON"),
            "hang": ("lost", "no progress", "the trainer said nothing for 10 s"),
            "early end": ("lost", "trainer protocol", "the trainer called the trial finished before it was told to"),
        }
        for fault, ending in expected.items():
            with self.subTest(fault):
                self.database = self.folder / f"{fault}.db"
                self.run_sweep(self.write_sweep(
                    SWEEP.split("grid:")[0] + f"grid: {{width: 8, rate: 0.1, fault: {fault}}}\n"
                    "training: {epochs: 4, early_stopping: false}\n"
                    + ("execution: {silence_limit: 10}\n" if fault == "hang" else "")))
                first, second = self.attempts()
                self.assertEqual(first[:3], ending)
                self.assertIn(f"about to go wrong: {fault}", first[3])
                self.assertEqual(second[0], "finished")
                self.assertEqual(self.epochs_trained(), [1, 2, 2, 3, 4])  # goes on from the checkpoint

    def test_an_interrupted_sweep_goes_on_to_the_same_ranking(self):
        sweep = self.sweep(grid=", pause: 0.05", training="epochs: 6, early_stopping: false")
        for stop, status in ((signal.SIGTERM, 75), (signal.SIGKILL, -signal.SIGKILL)):
            process = self.start("run", sweep, "--db", self.database)
            self.wait_for_rows("SELECT 1 WHERE (SELECT count(*) FROM epoch) > "
                               f"{2 if stop == signal.SIGTERM else 6}")
            process.send_signal(stop)
            output = process.communicate(timeout=60)[0]
            self.assertEqual(process.returncode, status, output)
        self.run_sweep(sweep)
        undisturbed = self.folder / "undisturbed.db"
        self.run_sweep(sweep, database=undisturbed)
        self.assert_sound_without_classes()
        epochs = "SELECT identity, epoch, epoch.train_loss, epoch.val_loss FROM epoch JOIN trial ON trial.id = trial"
        self.assertEqual(self.query(epochs), self.query(epochs, undisturbed))
        self.assertEqual(self.ranking(), self.ranking(undisturbed))

    def test_a_killed_trainer_is_replaced_and_goes_on_from_its_checkpoint(self):
        process = self.start("run", self.sweep(grid=", pause: 0.1"), "--db", self.database)
        self.wait_for_rows("SELECT 1 FROM epoch WHERE epoch = 2")
        os.kill(self.trainer_under(process), signal.SIGKILL)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertIn(("lost", "signal 9 (SIGKILL)"), [row[:2] for row in self.attempts()])
        self.assertEqual(self.query("SELECT count(*) FROM ranking WHERE rank IS NOT NULL AND epochs_done = 4"), [(2,)])
        self.assertTrue(all(epochs.count(1) == 1 for epochs in (self.epochs_trained(1), self.epochs_trained(2))))

    def test_a_trainer_that_hangs_does_not_outlive_a_killed_sweep(self):
        process = self.start("run", self.sweep(grid=", pause: 0.1"), "--db", self.database)
        self.wait_for_rows("SELECT 1 FROM epoch")
        trainer = self.trainer_under(process)
        os.kill(trainer, signal.SIGSTOP)
        process.kill()
        process.wait()
        self.assertEqual(left_after(5, [trainer]), [])
        self.run_sweep(self.folder / "sweep.yaml")

    def test_a_drill_kills_its_trainers_too(self):
        output = self.ranksweep("drill", self.sweep(grid=", pause: 0.1"), "--kills", 2, "--folder", self.folder / "drill")
        self.assertIn("Survived: every trial ended once", output)
        self.assertIn("(SIGKILL)", output)

    def test_a_program_that_is_no_trainer_is_told_so(self):
        for program, cause, message in (
                ("exit 3", "exit status 3", "the trainer ended before it said `ready`"),
                ("echo '{\"type\": \"ready\", \"version\": 99, \"program\": \"p\"}' >&3; sleep 9", "trainer protocol",
                 "p speaks version 99 of the protocol, not 1"),
                ("echo hello >&3; sleep 9", "trainer protocol", "not a JSON object: hello")):
            with self.subTest(program):
                self.database = self.folder / f"{cause}{len(message)}.db"
                self.write_program(f"#!/bin/sh\n{program}\n", "no_trainer")
                self.run_sweep(self.write_sweep("name: no\ntrainer: {command: [./no_trainer]}\n"
                                                "execution: {max_attempts: 1}\n"), expect=1)
                [(outcome, told_cause, told_message, _)] = self.attempts()
                self.assertEqual((outcome, told_cause), ("lost", cause))
                self.assertIn(message, told_message)

    def test_the_inputs_are_part_of_the_identity(self):
        sweep = self.sweep()
        self.run_sweep(sweep)
        self.write_program(TRAIN + "# changed\n")
        self.assertIn("began on other data", self.run_sweep(sweep, expect=2))

    def test_data_of_the_sweep_are_passed_on_and_a_test_split_is_left_alone(self):
        for split in ("train", "val", "test"):
            for label in ("a", "b"):
                folder = self.faces / split / label
                folder.mkdir(parents=True)
                (folder / "1.jpg").write_bytes(f"{split}{label}".encode())
        self.write_program(TRAIN.replace("    width, rate", "    assert trial.data['path'].endswith('/faces')\n"
                                                            "    width, rate"))
        output = self.run_sweep(self.write_sweep(SWEEP + "data: {path: FACES}\n"))
        self.assertIn("2 + 2 images of a, b, trained by", output)
        self.assertEqual(self.query("SELECT classes, test_images FROM sweep"), [('["a","b"]', 2)])

    def test_any_command_can_be_trained_by_its_lines(self):
        shell = SOURCE / "examples" / "shell_trainer"
        output = self.run_sweep(shell / "sweep.yaml", ranks=2)
        self.assertIn("6 trials", output)
        self.assertEqual(self.query("SELECT count(*) FROM epoch"), [(30,)])
        [(description, loss)] = self.query("SELECT description, val_loss FROM ranking WHERE rank = 1")
        self.assertEqual(description, "learning_rate=1 width=64")
        self.assertAlmostEqual(loss, 1 / 6 + 1 / 64, 5)

    @unittest.skipIf(Draft202012Validator is None, "no Python module jsonschema 4 (apt-get install python3-jsonschema)")
    def test_what_trainers_and_agents_say_fits_the_schema_of_the_protocol(self):
        record = self.folder / "messages.jsonl"
        recorder = [sys.executable, str(RECORDER), str(record)]
        self.run_sweep(self.write_sweep(f"name: recorded\ntrainer: {{command: {json.dumps([*recorder, 'python3', 'train.py'])}}}\n"
                                        "training: {width: 8, rate: 0.1, epochs: 2}\n"))
        built_in = self.write_program(f'#!/bin/sh\n[ -n "$1" ] && exec "{BIN}/ranksweep-trainer" "$@"\n'
                                      f'exec {shlex.join(recorder)} "{BIN}/ranksweep-trainer"\n', "built_in")
        faces = self.folder / "drawn"
        self.ranksweep("make-faces", faces, "--persons", "4", "--size", "32")
        os.environ["RANKSWEEP_TRAINER"] = str(built_in)
        self.addCleanup(os.environ.pop, "RANKSWEEP_TRAINER")
        self.run_sweep(self.write_sweep(f"name: recorded\ndata: {{path: {faces}, image_size: 32}}\n"
                                        "training: {architecture: simple_cnn, epochs: 1}\n"),
                       database=self.folder / "built_in.db")
        messages = [json.loads(line) for line in record.read_text().splitlines()]
        validator = Draft202012Validator(json.loads((SOURCE / "cluster/trainer_protocol.schema.json").read_text()))
        for message in messages:
            validator.validate(message)
        self.assertEqual([message["type"] for message in messages].count("assign"), 2)
        self.assertLess({"ready", "started", "epoch", "verdict", "predictions", "finished"},
                        {message["type"] for message in messages})


if __name__ == "__main__":
    unittest.main()
