"""Trials on several devices beside trials on one, as a user runs them."""

import json
import os
import signal
import unittest
from pathlib import Path

import processes
from ranksweep_case import BIN, RanksweepCase

# Dropout draws other numbers on several devices, and RMSprop's first steps amplify what rounding changes.
SWEEP = """
name: smile
data: {path: FACES, image_size: [32, 32]}
grid:
  architecture: simple_cnn
  training: full
  learning_rate: [1e-3, 3e-4]
  devices: DEVICES
training: {epochs: EPOCHS, batch_size: 8, early_stopping: false, dropout: 0, optimizer: sgd, sync_batch_norm: true,
           memory_format: channels_last}
execution: {threads: 1}
"""


def sweep_on(devices, epochs=3):
    return SWEEP.replace("DEVICES", devices).replace("EPOCHS", str(epochs))


class DataParallelTest(RanksweepCase):
    def start_until_a_group_trains(self, sweep):
        process = self.start("run", sweep, "--db", self.database, ranks=2)
        self.wait_for_rows("SELECT 1 FROM epoch JOIN attempt_member USING (attempt)")
        return process

    def test_auto_gives_a_trial_that_is_alone_all_ranks(self):
        sweep = self.write_sweep(sweep_on("auto").replace("[1e-3, 3e-4]", "1e-3"))
        self.run_sweep(sweep, ranks=2)
        self.assertEqual(self.query("SELECT member, rank FROM attempt_member ORDER BY member"), [(0, 0), (1, 1)])
        self.assertEqual(self.query("SELECT value FROM parameter WHERE name = 'devices'"), [("auto",)])
        self.assertIn("1 trial done before", self.run_sweep(sweep))  # the same trial, on however many devices

    def test_auto_leaves_trials_alone_where_there_are_enough(self):
        self.run_sweep(self.write_sweep(sweep_on("auto")), ranks=2)
        self.assertEqual(self.query("SELECT DISTINCT rank FROM attempt ORDER BY rank"), [(0,), (1,)])
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt_member"), [(0,)])

    def epochs_by_rate(self, database, devices):
        return self.query(f"""
            SELECT rate.value, epoch, train_loss, val_loss, val_accuracy, train_images, val_images FROM epoch
            JOIN parameter AS rate ON rate.trial = epoch.trial AND rate.name = 'learning_rate'
            JOIN parameter AS devices ON devices.trial = epoch.trial AND devices.name = 'devices'
            WHERE devices.value = {devices} ORDER BY rate.value, epoch""", database)

    def test_mixed_trials_on_four_ranks_give_the_numbers_of_one(self):
        alone = self.folder / "alone.db"
        self.run_sweep(self.write_sweep(sweep_on("1"), "alone.yaml"), database=alone)
        self.run_sweep(self.write_sweep(sweep_on("[1, 2, 3]")), ranks=4)
        self.assert_sound()
        self.assertEqual(self.query("SELECT COUNT(*) FROM trial WHERE state = 'finished'"), [(6,)])
        self.assertEqual(self.query("SELECT member, COUNT(*) FROM attempt_member GROUP BY member"),
                         [(0, 4), (1, 4), (2, 2)])
        expected = self.epochs_by_rate(alone, 1)
        self.assertEqual(self.epochs_by_rate(self.database, 1), expected)
        for devices in (2, 3):
            found = self.epochs_by_rate(self.database, devices)
            self.assertEqual(len(found), len(expected))
            for row, expected_row in zip(found, expected):
                for value, expected_value in zip(row, expected_row):
                    self.assertAlmostEqual(value, expected_value, delta=1e-4)

    def test_a_members_death_costs_one_attempt(self):
        sweep = self.write_sweep(sweep_on("2", epochs=30))
        process = self.start_until_a_group_trains(sweep)
        os.kill(processes.trainers_under(process.pid)[-1], signal.SIGKILL)
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertEqual(self.query("SELECT outcome, cause FROM attempt WHERE outcome != 'finished'"),
                         [("lost", "signal 9 (SIGKILL)")])
        self.expect_undisturbed_ranking(sweep, trials=2, ranks=2)

    def record_trainers(self):
        """From now on trainers write down what they and their agents say: returns how to read it."""
        record = self.folder / "said.jsonl"
        recorder = Path(__file__).with_name("trainer_recorder.py")
        self.use_trainer(f"exec {recorder} {record} {BIN}/ranksweep-trainer")
        return lambda: [json.loads(line) for line in record.read_text().splitlines()]

    def test_a_group_is_kept_for_the_next_trial_of_its_members(self):
        said = self.record_trainers()
        self.run_sweep(self.write_sweep(sweep_on("2")), ranks=2)
        self.assertEqual([(each["attempt"], each["group"]) for each in said() if each["type"] == "assign"],
                         [(1, 1), (1, 1), (2, 1), (2, 1)])
        self.assertEqual([each["attempt"] for each in said() if each["type"] == "group_token"], [1])
        self.assertEqual(self.query("SELECT outcome FROM attempt"), [("finished",)] * 2)

    def test_an_interrupted_group_goes_on_bit_for_bit(self):
        sweep = self.write_sweep(sweep_on("2", epochs=30).replace("dropout: 0", "dropout: 0.5"))
        process = self.start_until_a_group_trains(sweep)
        process.send_signal(signal.SIGTERM)
        self.assertIn("interrupted: ", process.communicate(timeout=60)[0])  # mpirun has an exit code of its own
        self.assertEqual(self.query("SELECT DISTINCT outcome FROM attempt WHERE outcome != 'finished'"),
                         [("interrupted",)])
        self.run_sweep(sweep, ranks=3)
        self.expect_undisturbed_ranking(sweep, trials=2, ranks=2)

    def test_more_devices_than_ranks_are_refused_before_anything_is_trained(self):
        output = self.run_sweep(self.write_sweep(sweep_on("[1, 3]")), ranks=2, expect=2)
        self.assertRegex(output, r"sweep\.yaml: a trial wants devices: 3, .* at most 2\.")
        self.assertEqual(self.query("SELECT COUNT(*) FROM attempt"), [(0,)])


if __name__ == "__main__":
    unittest.main()
