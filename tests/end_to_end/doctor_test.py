"""`ranksweep doctor` on this machine, whole and broken."""

import subprocess
import unittest

from ranksweep_case import RanksweepCase


class DoctorTest(RanksweepCase):
    def test_a_sound_machine(self):
        output = self.ranksweep("doctor", self.folder)
        for line in ("ok       trainer: ", "ok       rename and sync: work", "open files: ", "locks: work",
                     "between 2 trainers on the CPU (no GPU: NCCL not measured): ", "ok       2 ranks see each other"):
            self.assertIn(line, output)
        self.assertNotIn("ERROR", output)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_is_missing_is_an_error_with_a_remedy(self):
        output = self.ranksweep("doctor", "/no/such/folder", expect=3)
        self.assertRegex(output, r"ERROR +/no/such/folder.*\n +-> name a folder that can be written")

    def test_a_trainer_that_is_not_there(self):
        self.set_environment(RANKSWEEP_TRAINER="/no/such/trainer")
        self.assertRegex(self.ranksweep("doctor", self.folder, expect=3), "ERROR .*/no/such/trainer")

    def test_gpus_and_how_they_are_linked(self):
        self.assertIn("ok       GPUs: cuda:0 (GPU-8932f937), cuda:1 (GPU-1b9dcd1e), cuda:2 (GPU-5f); "
                      "links: NVLink 0-1; system between all others\n",
                      self.doctor_of(NVML_STAND_IN="GPU-8932f937-d72c GPU-1b9dcd1e-77aa GPU-5f 0-1=nvlink"))

    def test_gpus_without_nvml(self):
        self.assertRegex(self.doctor_of(CUDA_VISIBLE_DEVICES="0,1"),
                         r"warning  GPUs: cuda:0 \(0\), cuda:1 \(1\); UUIDs and links not known: NVML: Driver Not Loaded\n +-> ")

    def doctor_of(self, **gpus):
        """Whatever its exit status: a build for GPUs finds no driver for these."""
        self.stand_in_for_nvml(**gpus)
        return subprocess.run(self.command("doctor", self.folder), text=True, capture_output=True, timeout=300).stdout


if __name__ == "__main__":
    unittest.main()
