"""Sweeps as Slurm jobs: submitted, interrupted, requeued, preempted, cancelled, on two virtual nodes.

A sweep that was disturbed must end with the ranking of the same sweep undisturbed.
"""

import re
import subprocess
import sys
import unittest
from pathlib import Path

import slurm_cluster

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
from ranksweep_case import BIN, RanksweepCase  # noqa: E402

SWEEP = """
name: "Slurm's faces"
data: {path: FACES, image_size: [32, 32]}
grid: {architecture: simple_cnn, training: full, learning_rate: [1e-3, 3e-4], augmentation: [none, flip]}
training: {epochs: EPOCHS, batch_size: 8, early_stopping: false, memory_format: channels_last}
execution: {threads: 1}
"""

cluster = slurm_cluster.SlurmCluster()


def setUpModule():
    unittest.addModuleCleanup(cluster.stop)
    cluster.start()


rankings = {}  # of undisturbed sweeps, by their epochs


class SlurmCase(RanksweepCase):
    def setUp(self):
        super().setUp()
        self.folder = self.folder / "a folder's name"  # that a shell would take apart
        self.folder.mkdir()
        self.database = self.folder / "sweep.db"
        self.addCleanup(self.clear_queue)

    def clear_queue(self):
        subprocess.run(["scancel", "--user=root"], check=False, capture_output=True)
        cluster.wait_until(cluster.all_idle, "all jobs are gone")

    def submit(self, *options, epochs=3):
        """The number of a job with a rank on each node, unless `options` say otherwise."""
        sweep = self.write_sweep(SWEEP.replace("EPOCHS", str(epochs)))
        output = self.ranksweep("submit", sweep, *(options if "--array" in options else ("--nodes", 2, *options)),
                                "--ranks-per-node", 1)
        self.assertIn("Submitted batch job", output)
        return output.split("Submitted batch job ")[1].split()[0]

    def submit_script(self, change, epochs=3):
        """The number of a job whose script was changed by hand before it was given to sbatch."""
        sweep = self.write_sweep(SWEEP.replace("EPOCHS", str(epochs)))
        script = subprocess.run(self.command("submit", sweep, "--nodes", 2, "--ranks-per-node", 1, "--dry-run"),
                                cwd=self.folder, check=True, text=True, capture_output=True).stdout
        (self.folder / "sweep.sbatch").write_text(change(script))
        return subprocess.run(["sbatch", "--parsable", self.folder / "sweep.sbatch"], check=True, text=True,
                              capture_output=True).stdout.strip()

    def job(self, number):
        """What Slurm has on a job."""
        record = subprocess.run(["scontrol", "--oneliner", "show", "job", number], check=True, text=True,
                                capture_output=True).stdout
        return dict(word.split("=", 1) for word in record.split() if "=" in word)

    def wait_for_state(self, number, *states, seconds=90):
        cluster.wait_until(lambda: self.job(number)["JobState"] in states, f"job {number} is {states}: {self.log()}",
                           seconds)

    def wait_for_successor(self):
        """The number of the job that goes on where requeueing is refused; sbatch tells it to the log of the first."""
        submitted = re.compile(r"another job goes on\nSubmitted batch job (\d+)")
        cluster.wait_until(lambda: submitted.search(self.log()), "the successor is submitted")
        return submitted.search(self.log())[1]

    def log(self):
        return "\n".join(log.read_text() for log in self.folder.glob("*.log"))

    def epochs(self):
        return self.query("SELECT COUNT(*) FROM epoch")[0][0]

    def wait_for_epochs(self, number):
        self.wait_for_rows(f"SELECT 1 WHERE (SELECT COUNT(*) FROM epoch) >= {number}")

    def undisturbed(self, epochs):
        """The ranking without Slurm and interruption."""
        if epochs not in rankings:
            sweep = self.write_sweep(SWEEP.replace("EPOCHS", str(epochs)), "undisturbed.yaml")
            database = self.folder / "undisturbed.db"
            self.run_sweep(sweep, database=database)
            rankings[epochs] = self.ranking(database)
        return rankings[epochs]

    def assert_completed(self, number, restarts):
        self.wait_for_state(number, "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED")
        job = self.job(number)
        self.assertEqual((job["JobState"], job["ExitCode"]), ("COMPLETED", "0:0"), self.log())
        self.assertEqual(int(job["Restarts"]), restarts, self.log())

    def assert_ends_undisturbed(self, epochs):
        self.assert_sound()
        self.assertEqual(self.ranking(), self.undisturbed(epochs))


class SubmitTest(SlurmCase):
    def test_from_submit_to_ranking_over_two_nodes(self):
        number = self.submit(epochs=3)
        self.assert_completed(number, restarts=0)
        self.assert_ends_undisturbed(epochs=3)
        hosts = self.query("SELECT DISTINCT host FROM attempt ORDER BY host")
        self.assertEqual(hosts, [(host,) for host in cluster.hosts])
        self.assertIn("the sweep is done", self.log())

    def test_srun_starts_and_interrupts_the_ranks_too(self):
        profile = self.folder / "cluster.yaml"
        profile.write_text("launcher: srun-pmix\nenvironment: {GREETING: it's me}\n")
        number = self.submit("--profile", profile, epochs=12)
        self.wait_for_epochs(4)
        subprocess.run(["scancel", "--batch", "--signal=USR1", number], check=True)
        self.assert_completed(number, restarts=1)
        self.assert_ends_undisturbed(epochs=12)
        self.assertEqual(len(self.query("SELECT DISTINCT host FROM attempt")), len(cluster.hosts))

    def test_a_mistake_ends_the_job_without_a_requeue(self):
        self.database.write_text("my thesis")
        number = self.submit_script(lambda script: script)
        self.wait_for_state(number, "FAILED")
        self.assertEqual(self.job(number)["ExitCode"], "2:0")
        self.assertEqual(self.job(number)["Restarts"], "0")


class InterruptionTest(SlurmCase):
    def test_usr1_requeues_and_the_ranking_is_that_of_an_undisturbed_run(self):
        number = self.submit(epochs=12)
        self.wait_for_epochs(4)
        subprocess.run(["scancel", "--batch", "--signal=USR1", number], check=True)
        self.wait_for_state(number, "PENDING")
        self.assertEqual(self.query("SELECT DISTINCT outcome FROM attempt WHERE outcome != 'finished'"),
                         [("interrupted",)])
        self.assert_completed(number, restarts=1)
        self.assert_ends_undisturbed(epochs=12)
        self.assertIn("restart 1 of at most 20", self.log())

    def test_scontrol_requeue_in_mid_trial(self):
        number = self.submit(epochs=12)
        self.wait_for_epochs(4)
        subprocess.run(["scontrol", "requeue", number], check=True)
        self.assert_completed(number, restarts=1)
        self.assert_ends_undisturbed(epochs=12)

    def test_max_requeues_is_the_limit(self):
        number = self.submit("--max-requeues", 0, epochs=40)
        self.wait_for_epochs(2)
        subprocess.run(["scancel", "--batch", "--signal=USR1", number], check=True)
        self.wait_for_state(number, "FAILED")
        self.assertEqual(self.job(number)["ExitCode"], "75:0")
        self.assertIn("to go on: sbatch", self.log())

    def test_scancel_ends_it_and_submit_goes_on(self):
        number = self.submit(epochs=12)
        self.wait_for_epochs(4)
        subprocess.run(["scancel", number], check=True)
        self.wait_for_state(number, "CANCELLED")
        self.clear_queue()
        done = self.epochs()
        self.assertGreaterEqual(done, 4)
        self.assert_completed(self.submit(epochs=12), restarts=0)
        self.assert_ends_undisturbed(epochs=12)

    def test_preemption_by_a_higher_partition(self):
        number = self.submit("--partition", "low", epochs=12)
        self.wait_for_epochs(4)
        urgent = subprocess.run(["sbatch", "--parsable", "--partition=high", "--nodes=2", "--exclusive",
                                 "--output=/dev/null", "--wrap=true"], check=True, text=True,
                                capture_output=True).stdout.strip()
        self.wait_for_state(urgent, "COMPLETED")
        self.assert_completed(number, restarts=1)
        self.assert_ends_undisturbed(epochs=12)


    def test_the_time_limit(self):
        # Slurm looks once in half a minute, and warns of a limit of a minute the first time it does.
        number = self.submit("--time", "1", epochs=400)
        self.wait_for_epochs(1)
        self.wait_for_state(number, "PENDING")
        self.assertIn("USR1: the sweep stops and goes on later", self.log())
        self.assertEqual(self.query("SELECT DISTINCT outcome FROM attempt WHERE outcome != 'finished'"),
                         [("interrupted",)])

    def test_where_requeueing_is_refused_a_successor_goes_on(self):
        number = self.submit_script(lambda script: script.replace("#SBATCH --requeue", "#SBATCH --no-requeue"),
                                    epochs=12)
        self.wait_for_epochs(4)
        subprocess.run(["scancel", "--batch", "--signal=USR1", number], check=True)
        successor = self.wait_for_successor()
        self.assert_completed(successor, restarts=0)
        self.assert_ends_undisturbed(epochs=12)
        self.assertIn("restart 1 of at most 20", self.log())

    def test_a_lost_node_comes_back(self):
        number = self.submit(epochs=12)
        self.wait_for_epochs(4)
        cluster.lose_node("node2")
        self.wait_for_state(number, "PENDING")
        cluster.start_node("node2")
        self.assert_completed(number, restarts=1)
        self.assert_ends_undisturbed(epochs=12)


class ArrayTest(SlurmCase):
    def test_each_task_trains_its_share_and_one_of_them_goes_on(self):
        number = self.submit("--array", 2, "--scratch", f"{self.folder}/scratch.$SLURMD_NODENAME", epochs=6)
        first = self.folder / "sweep.shares" / "1-of-2.db"
        self.wait_for_rows("SELECT 1 FROM epoch", database=first)
        subprocess.run(["scancel", "--batch", "--signal=USR1", f"{number}_1"], check=True)
        self.wait_for_state(f"{number}_1", "PENDING")
        status = self.ranksweep("status", self.database)
        self.assertRegex(status, rf"{number}_1 +PENDING")
        self.assertRegex(status, r"1/2 +\d+ +0 +")
        self.assertIn("go on with --array 2", self.ranksweep("submit", self.folder / "sweep.yaml", expect=2))
        for task, restarts in ((2, 0), (1, 1)):
            self.assert_completed(f"{number}_{task}", restarts)
        self.assert_ends_undisturbed(epochs=6)
        self.assertEqual(len(self.query("SELECT DISTINCT host FROM attempt")), len(cluster.hosts))
        self.assertFalse(first.parent.exists())
        for node in slurm_cluster.NODES:
            self.assertEqual(list((self.folder / f"scratch.{node}").iterdir()), [])


class CommandsTest(SlurmCase):
    def test_status_shows_the_job_and_cancel_ends_it(self):
        number = self.submit(epochs=400)
        self.wait_for_epochs(2)
        status = self.ranksweep("status", self.database)
        self.assertRegex(status, rf"{number} +RUNNING +node\[1-2\] +0 +\d+:\d\d")
        self.ranksweep("status", self.database, "--done", expect=75)
        self.assertIn(f"job {number} (RUNNING) works on", self.ranksweep(
            "submit", self.folder / "sweep.yaml", "--db", self.database, expect=2))
        self.ranksweep("cancel", self.database)
        self.wait_for_state(number, "COMPLETED")
        self.assertEqual(self.query("SELECT DISTINCT outcome FROM attempt"), [("interrupted",)])
        self.assertIn("no job of yours", self.ranksweep("cancel", self.database, expect=2))
        facts = dict(self.query("SELECT name, value FROM environment"))
        self.assertEqual((facts["Slurm job"], facts["Slurm nodes"]), (number, "node[1-2]"))

    def test_a_dry_run_says_what_will_happen_and_submits_nothing(self):
        sweep = self.write_sweep(SWEEP.replace("EPOCHS", "3"))
        for partition, forecast in (("main", "not preempted"), ("low", "in the 1 min 00 s of grace")):
            output = self.ranksweep("submit", sweep, "--partition", partition, "--dry-run")
            self.assertIn("#SBATCH --signal=B:USR1@120", output)
            self.assertIn("#SBATCH --cpus-per-task=4", output)
            self.assertIn(forecast, output)
        self.assertEqual(list(self.folder.glob("*.sbatch")), [])

    def test_wrong_options_are_refused(self):
        sweep = self.write_sweep(SWEEP.replace("EPOCHS", "3"))
        for options, reason in ((("--partition", "gpus"), "no partition `gpus`"), (("--time", "soon"), "--time soon"),
                                (("--nodes", "two"), "--nodes"), (("--profile", "none.yaml"), "none.yaml"),
                                (("--partition", "short", "--time", "2:00:00"), "at most 30 min")):
            self.assertIn(reason, self.ranksweep("submit", sweep, *options, expect=2))

    def test_doctor_examines_both_nodes(self):
        output = subprocess.run(
            ["sbatch", "--wait", "--nodes=2", "--ntasks-per-node=2", f"--output={self.folder}/doctor.log",
             f"--wrap=mpirun '{BIN}/ranksweep' doctor ."], cwd=self.folder, check=False, text=True,
            capture_output=True)
        report = self.log()
        self.assertEqual(output.returncode, 0, report)
        self.assertIn("4 ranks see each other", report)
        self.assertEqual(report.count("locks: work"), 3)
        self.assertEqual(report.count("node2: trainer: "), len(cluster.hosts) - 1)
        self.assertNotIn("ERROR", report)


if __name__ == "__main__":
    slurm_cluster.enter()
    unittest.main()
