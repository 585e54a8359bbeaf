"""`precision: auto` and `memory_format: auto`: what is timed, what is chosen by it, and when."""

import sqlite3
import unittest

from ranksweep_case import RanksweepCase, four_trials

# So many epochs are planned that timing pays, and few are trained.
SWEEP = """
name: smile
data: {path: FACES, image_size: [32, 32]}
grid: {learning_rate: RATES}
training: {architecture: simple_cnn, epochs: 1000, early_stopping: {patience: 1}, batch_size: 32,
           precision: auto}
execution: {threads: 1}
"""


def quickest(times):
    """Of (precision, memory format, seconds): channels last and float32, unless another is quicker by a tenth."""
    def handicapped(row):
        precision, memory_format, seconds = row
        return seconds * (1.1 if precision != "float32" else 1) * (1.1 if memory_format != "channels_last" else 1)
    return min((row for row in times if row[2] is not None), key=handicapped)[:2]


class AutomaticChoicesTest(RanksweepCase):
    def test_the_quickest_is_taken_and_stays(self):
        output = self.run_sweep(self.write_sweep(SWEEP.replace("RATES", "[0.1]")))
        self.assertIn("auto: a step of simple_cnn (full): float32 contiguous ", output)
        times = self.query("SELECT precision, memory_format, seconds FROM measured_step")
        self.assertEqual(sorted(row[:2] for row in times),
                         [(precision, memory_format) for precision in ("bfloat16", "float32")
                          for memory_format in ("channels_last", "contiguous")])
        self.assertEqual(self.query("SELECT precision, memory_format FROM attempt"), [quickest(times)])

        # The sweep grows. What was timed once decides, though other times would be measured now.
        connection = sqlite3.connect(self.database)
        with connection:
            connection.execute("UPDATE measured_step SET seconds = iif(precision = 'float32' AND "
                               "memory_format = 'contiguous', 0.001, 0.00115)")
        connection.close()
        output = self.run_sweep(self.write_sweep(SWEEP.replace("RATES", "[0.1, 0.2]")))
        self.assertNotIn("auto:", output)
        self.assertEqual(self.query("SELECT precision, memory_format FROM attempt ORDER BY id DESC LIMIT 1"),
                         [("float32", "contiguous")])

    def test_nothing_is_timed_where_that_would_cost_more_than_it_gains(self):
        sweep = four_trials(epochs=1).replace("memory_format: channels_last", "memory_format: auto")
        self.run_sweep(self.write_sweep(sweep))
        self.assertEqual(self.query("SELECT * FROM measured_step"), [])
        self.assertEqual(self.query("SELECT DISTINCT precision, memory_format FROM attempt"),
                         [("float32", "channels_last")])


if __name__ == "__main__":
    unittest.main()
