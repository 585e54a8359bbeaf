"""Which GPU each rank gets and which ones train a trial together, on the machine of tests/cluster/nvml_stand_in."""

import unittest

from ranksweep_case import RanksweepCase

# Its trainer fails: whom it was started for is what counts here.
SWEEP = """
name: whereabouts
trainer: {command: ["false"]}
grid: {number: [1]}
training: {epochs: 1, early_stopping: false, devices: DEVICES}
execution: {max_attempts: 1}
"""


class GpusTest(RanksweepCase):
    def setUp(self):
        super().setUp()
        self.stand_in_for_nvml(NVML_STAND_IN="GPU-aa GPU-bb GPU-cc 1-2=nvlink")

    def run_on(self, visible, devices=1, expect=1):
        """A rank for each of `visible`, the GPUs that CUDA shows to it."""
        sweep = self.write_sweep(SWEEP.replace("DEVICES", str(devices)))
        command = ["mpirun"]
        for gpus in visible:
            command += [":"] * (len(command) > 1) + ["-n", "1", "env", f"CUDA_VISIBLE_DEVICES={gpus}"]
            command += self.command("run", sweep, "--db", self.database, "--device", "cuda")
        return self.output_of(command, expect)

    def gpus_of_ranks(self):
        joined = self.query("SELECT message FROM event WHERE kind = 'joined' ORDER BY rank")
        return [message.split(" on ")[0] for message, in joined]

    def test_a_rank_has_the_gpu_that_it_alone_sees(self):
        self.run_on(["GPU-c", "1"])
        self.assertEqual(self.gpus_of_ranks(), ["cuda:0 (GPU-cc)", "cuda:0 (GPU-bb)"])

    def test_two_names_of_one_gpu_are_no_two_gpus(self):
        self.assertIn("has 1 GPU and 2 ranks, and ranks 0, 1 would share GPU-bb: ", self.run_on(["1", "GPU-b"], expect=3))

    def test_ranks_go_round_the_gpus_and_a_trial_has_near_ones(self):
        self.run_on(["0,1,2"] * 3, devices=2)
        self.assertEqual(self.gpus_of_ranks(), ["cuda:0 (GPU-aa)", "cuda:1 (GPU-bb)", "cuda:2 (GPU-cc)"])
        self.assertEqual(self.query("SELECT DISTINCT rank FROM attempt_member ORDER BY rank"), [(1,), (2,)])


if __name__ == "__main__":
    unittest.main()
