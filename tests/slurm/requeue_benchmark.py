"""How long a requeue takes beyond Slurm's own part: from the last epoch before it to the first after it, less
the time in which the job was not running. Prints one line; run it as the tests are run."""

import statistics
import subprocess
import time
import unittest

import slurm_cluster
from slurm_test import SlurmCase, setUpModule  # noqa: F401: unittest calls it


class RequeueBenchmark(SlurmCase):
    def watch(self, number):
        """The moments of a requeue: last epoch, end of the run, start of the next, first new epoch."""
        done, last_epoch, ended, started = self.epochs(), time.monotonic(), None, None
        subprocess.run(["scancel", "--batch", "--signal=USR1", number], check=True)
        while True:
            now, epochs, state = time.monotonic(), self.epochs(), self.job(number)["JobState"]
            if state == "PENDING":
                ended = ended or now
            if ended and state == "RUNNING":
                started = started or now
            if epochs > done:
                done = epochs
                if started:
                    return last_epoch, ended, started, now
                last_epoch = now
            time.sleep(0.01)

    def test_overhead(self):
        number = self.submit(epochs=200)
        overheads = []
        for _ in range(3):
            self.wait_for_epochs(self.epochs() + 2 if self.database.exists() else 2)
            last_epoch, ended, started, first_epoch = self.watch(number)
            overheads.append((first_epoch - last_epoch) - (started - ended))
        print(f"requeue: {statistics.median(overheads):.2f} s beyond Slurm's own "
              f"({min(overheads):.2f} to {max(overheads):.2f})")


if __name__ == "__main__":
    slurm_cluster.enter()
    unittest.main()
