"""What `cmake --install` makes is all that running needs, and can be moved."""

import subprocess
import unittest

import ranksweep_case
from ranksweep_case import RanksweepCase, four_trials


class InstallTest(RanksweepCase):
    def test_an_installation_that_was_moved_runs_a_sweep(self):
        installed, moved = self.folder / "installed", self.folder / "moved" / "here"
        subprocess.run(["cmake", "--install", ranksweep_case.BIN.parent, "--prefix", installed], check=True,
                       capture_output=True)
        moved.parent.mkdir()
        installed.rename(moved)
        libraries = subprocess.run(["ldd", moved / "bin" / "ranksweep-trainer"], check=True, text=True,
                                   capture_output=True).stdout
        for name in ("libtorch_cpu.so", "libc10.so"):
            self.assertRegex(libraries, rf"{name} => {moved}/.*{name}")
        self.assertNotIn("not found", libraries)
        self.assertNotIn("site-packages", libraries)
        for file in ("examples/smile.yaml", "profiles/mpirun.yaml", "docs/slurm.md", "sweep.schema.json", "LICENSE"):
            self.assertTrue((moved / "share" / "ranksweep" / file).exists(), file)

        self.addCleanup(setattr, ranksweep_case, "BIN", ranksweep_case.BIN)
        ranksweep_case.BIN = moved / "bin"
        self.run_sweep(self.write_sweep(four_trials(epochs=1)), ranks=2)
        self.assert_sound()


if __name__ == "__main__":
    unittest.main()
