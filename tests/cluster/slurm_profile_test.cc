#include "cluster/slurm_profile.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/sweep_spec.h"

namespace ranksweep::cluster {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string refusal(const std::string& source) {
  try {
    parse_slurm_profile(source, "cluster.yaml");
    return "accepted";
  } catch (const sweeps::SweepError& error) {
    return error.what();
  }
}

TEST(SlurmProfile, ReadsEveryKey) {
  const SlurmProfile profile = parse_slurm_profile(
      "launcher: srun-pmix\nlauncher_options: [--label]\nmodules: [gcc, openmpi]\n"
      "environment: {UCX_TLS: all, OMP_NUM_THREADS: 4}\npartition: gpu\naccount: faces\n"
      "scratch: $TMPDIR\n"
      "sbatch: [--exclusive]\n",
      "cluster.yaml");
  EXPECT_EQ(profile.launcher, Launcher::srun_pmix);
  EXPECT_THAT(profile.launcher_options, ElementsAre("--label"));
  EXPECT_THAT(profile.modules, ElementsAre("gcc", "openmpi"));
  EXPECT_THAT(profile.environment,
              ElementsAre(Pair("UCX_TLS", "all"), Pair("OMP_NUM_THREADS", "4")));
  EXPECT_EQ(profile.partition, "gpu");
  EXPECT_EQ(profile.account, "faces");
  EXPECT_EQ(profile.scratch, "$TMPDIR");
  EXPECT_THAT(profile.sbatch, ElementsAre("--exclusive"));
}

TEST(SlurmProfile, KnowsTheLaunchers) {
  EXPECT_EQ(parse_slurm_profile("launcher: mpirun\n", "").launcher, Launcher::mpirun);
  EXPECT_EQ(parse_slurm_profile("launcher: srun-pmi2\n", "").launcher, Launcher::srun_pmi2);
}

TEST(SlurmProfile, EveryMistakeHasItsPlaceAndARemedy) {
  EXPECT_EQ(
      refusal("launcher: srun\nmodule: [gcc]\nenvironment: {1ST: x, B: [1]}\n"
              "sbatch: --exclusive\n"),
      "cluster.yaml:1:11: launcher must be one of mpirun, srun-pmix, srun-pmi2; found `srun`\n"
      "cluster.yaml:2:1: a profile has no `module`; did you mean `modules`?\n"
      "cluster.yaml:3:15: environment: `1ST` is no name of a variable: letters, digits and "
      "_, no digit first\n"
      "cluster.yaml:3:26: environment.B must be a text or a number; found `[1]`\n"
      "cluster.yaml:4:9: sbatch must be a list of 0 to 100 values, each an option of sbatch, "
      "such as --constraint=a100; found `--exclusive`");
  EXPECT_EQ(refusal("- mpirun\n"),
            "cluster.yaml:1:1: a profile is a mapping of environment, launcher, launcher_options, "
            "modules, partition, account, scratch, sbatch; found `[mpirun]`");
  EXPECT_THROW(load_slurm_profile("/no/such/cluster.yaml"), sweeps::SweepError);
}

TEST(SlurmProfile, TheExamplesAreRight) {
  const std::filesystem::path folder = RANKSWEEP_SOURCE_DIR "/cluster/profiles";
  EXPECT_EQ(load_slurm_profile(folder / "mpirun.yaml").launcher, Launcher::mpirun);
  EXPECT_EQ(load_slurm_profile(folder / "srun.yaml").launcher, Launcher::srun_pmix);
}

TEST(SlurmProfile, TheUsersOwnIsInTheFolderForConfiguration) {
  ::setenv("XDG_CONFIG_HOME", "/etc/ada", 1);
  EXPECT_EQ(default_slurm_profile(), "/etc/ada/ranksweep/cluster.yaml");
  ::unsetenv("XDG_CONFIG_HOME");
  ::setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(default_slurm_profile(), "/home/ada/.config/ranksweep/cluster.yaml");
}

}  // namespace
}  // namespace ranksweep::cluster
