"""What the end-to-end tests share: real programs, real MPI, real images, in a folder of their own."""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

BIN = Path(os.environ["RANKSWEEP_BIN_DIR"])
SOURCE = Path(os.environ["RANKSWEEP_SOURCE_DIR"])
LONDON_FACES = SOURCE.parent / "shared" / "data" / "london_faces"


def four_trials(epochs=12, early_stopping="false", execution="threads: 1"):
    """A sweep of four small trials."""
    return f"""
name: smile
data: {{path: FACES, image_size: [32, 32]}}
grid:
  architecture: simple_cnn
  training: full
  learning_rate: [1e-3, 3e-4]
  augmentation: [none, flip]
training: {{epochs: {epochs}, batch_size: 8, early_stopping: {early_stopping}, memory_format: channels_last}}
execution: {{{execution}}}
"""


# The ranking as anyone would write it who has never seen the view: finished trials that do not
# predict a single class, by their smallest validation loss, the first epoch that reaches it.
PLAIN_RANKING = """
WITH best AS (
  SELECT trial, epoch, val_loss, val_accuracy, val_classes_predicted,
         ROW_NUMBER() OVER (PARTITION BY trial ORDER BY val_loss, epoch) AS place
  FROM epoch)
SELECT trial.identity, best.epoch, best.val_loss, best.val_accuracy
FROM best JOIN trial ON trial.id = best.trial
WHERE place = 1 AND trial.state = 'finished' AND best.val_classes_predicted > 1
ORDER BY best.val_loss, best.val_accuracy DESC, trial.network_parameters, trial.identity
"""


class RanksweepCase(unittest.TestCase):
    """Runs `ranksweep` in `self.folder`, which is removed afterwards."""

    @classmethod
    def setUpClass(cls):
        cls.shared_folder = Path(tempfile.mkdtemp(prefix="ranksweep-test-"))
        cls.faces = cls.shared_folder / "faces"
        os.environ["RANKSWEEP_CACHE"] = str(cls.shared_folder / "cache")  # nothing from an earlier build
        subprocess.run(
            [BIN / "ranksweep", "make-faces", cls.faces, "--persons", "16", "--seed", "3", "--size", "48"],
            check=True, capture_output=True)

    @classmethod
    def train(cls, text, name="trained", faces=None):
        """The database of the sweep `text`, for the tests that only read it."""
        sweep = cls.shared_folder / f"{name}.yaml"
        sweep.write_text(text.replace("FACES", str(faces or cls.faces)))
        database = cls.shared_folder / f"{name}.db"
        subprocess.run([BIN / "ranksweep", "run", sweep, "--db", database], check=True, capture_output=True)
        return database

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared_folder)

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=self.shared_folder))
        self.database = self.folder / "results.db"

    def copy_trained(self):
        """A copy of `self.trained` and its checkpoints, for a test that changes it."""
        shutil.copy(self.trained, self.database)
        shutil.copytree(self.trained.with_suffix(".checkpoints"), self.database.with_suffix(".checkpoints"))
        return self.database

    def use_trainer(self, script):
        """Trainers are started by `script`; what is asked of them with arguments, the real one answers."""
        trainer = self.folder / "trainer.sh"
        trainer.write_text(f'#!/bin/sh\n[ $# -gt 0 ] && exec {BIN}/ranksweep-trainer "$@"\n{script}\n')
        trainer.chmod(0o755)
        os.environ["RANKSWEEP_TRAINER"] = str(trainer)
        self.addCleanup(os.environ.pop, "RANKSWEEP_TRAINER", None)

    def write_sweep(self, text, name="sweep.yaml"):
        path = self.folder / name
        path.write_text(text.replace("FACES", str(self.faces)))
        return path

    def command(self, *arguments, ranks=None):
        launcher = ["mpirun", "-n", str(ranks)] if ranks else []
        return [*launcher, str(BIN / "ranksweep"), *map(str, arguments)]

    def ranksweep(self, *arguments, ranks=None, expect=0):
        return self.output_of(self.command(*arguments, ranks=ranks), expect)

    def output_of(self, command, expect):
        done = subprocess.run(command, cwd=self.folder, text=True, capture_output=True, timeout=300)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def set_environment(self, **variables):
        """Until the end of the test."""
        patch = unittest.mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)

    def stand_in_for_nvml(self, **variables):
        """The GPUs of this machine are those that `variables` describe: tests/cluster/nvml_stand_in."""
        libraries = f"{BIN.parent / 'tests' / 'nvml_stand_in'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
        self.set_environment(LD_LIBRARY_PATH=libraries, **variables)

    def run_sweep(self, sweep, ranks=None, expect=0, database=None):
        return self.ranksweep("run", sweep, "--db", database or self.database, ranks=ranks, expect=expect)

    def start(self, *arguments, ranks=None):
        """Starts a command in a session of its own, so that its terminal signals are ours to send."""
        process = subprocess.Popen(self.command(*arguments, ranks=ranks), cwd=self.folder, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()

    def query(self, sql, database=None):
        connection = sqlite3.connect(f"file:{database or self.database}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def wait_for_rows(self, sql, seconds=60, database=None):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.query(sql, database):
                    return
            except sqlite3.OperationalError:
                pass  # not made yet, or in mid-commit
            time.sleep(0.02)
        self.fail(f"no row in {seconds} s: {sql}")

    def ranking(self, database=None):
        return self.query("SELECT trial, best_epoch, val_loss, val_accuracy FROM ranking "
                          "WHERE mark = 'finished' ORDER BY rank", database)

    def assert_sound(self, database=None):
        """Every trial of the plan once, every epoch once, the view's ranking the plain one."""
        self.assertEqual(self.query("PRAGMA integrity_check", database), [("ok",)])
        self.assertEqual(self.query("PRAGMA foreign_key_check", database), [])
        self.assertEqual(self.ranking(database), self.query(PLAIN_RANKING, database))
        gaps = self.query("SELECT trial FROM epoch GROUP BY trial "
                          "HAVING COUNT(*) != MAX(epoch) OR MIN(epoch) != 1", database)
        self.assertEqual(gaps, [])
        running = self.query("SELECT COUNT(*) FROM attempt WHERE ended_at IS NULL", database)
        self.assertEqual(running, [(0,)])

    def expect_undisturbed_ranking(self, sweep, trials=4, ranks=None):
        """What was disturbed ends as the same sweep does when nobody disturbs it."""
        undisturbed = self.folder / "undisturbed.db"
        self.run_sweep(sweep, ranks=ranks, database=undisturbed)
        self.assert_sound()
        self.assertEqual(len(self.ranking()), trials)
        self.assertEqual(self.ranking(), self.ranking(undisturbed))
