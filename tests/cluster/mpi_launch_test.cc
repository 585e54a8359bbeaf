#include "cluster/mpi_launch.h"

#include <chrono>
#include <signal.h>
#include <system_error>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ranksweep::cluster {
namespace {

using testing::ElementsAre;

TEST(LauncherCommand, SurvivesALostRankWhereTheMpiCan) {
  EXPECT_THAT(launcher_command(MpiFlavour::open_mpi, {}, 4, {}),
              ElementsAre("mpirun", "--enable-recovery", "-n", "4"));
  EXPECT_THAT(launcher_command(MpiFlavour::open_mpi, {.several_nodes = true}, 4, {}),
              ElementsAre("mpirun", "-n", "4"));
  EXPECT_THAT(launcher_command(MpiFlavour::open_mpi, {}, 4, {"--hostfile", "h"}),
              ElementsAre("mpirun", "-n", "4", "--hostfile", "h"));
  EXPECT_THAT(launcher_command(MpiFlavour::open_mpi_ulfm, {.several_nodes = true}, 4, {}),
              ElementsAre("mpirun", "--with-ft", "ulfm", "-n", "4"));
  EXPECT_THAT(launcher_command(MpiFlavour::mpich, {}, 2, {}), ElementsAre("mpiexec", "-n", "2"));
  EXPECT_THAT(launcher_command(MpiFlavour::mpich, {.in_slurm_job = true}, 2, {}),
              ElementsAre("srun", "--mpi=pmi2", "--kill-on-bad-exit=0", "-n", "2"));
}

ExitStatus wait_for(LaunchedJob& job) {
  while (true) {
    if (const auto status = job.exit_status()) {
      return *status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(LaunchedJob, TellsHowItEnded) {
  LaunchedJob job({"sh", "-c", "exit 75"});
  EXPECT_EQ(wait_for(job).code, 75);
}

TEST(LaunchedJob, HearsSignals) {
  LaunchedJob job({"sleep", "600"});
  job.send_signal(SIGUSR1);
  EXPECT_EQ(wait_for(job).signal, SIGUSR1);
}

TEST(LaunchedJob, AProgramThatIsNotThereIsAnErrorWithItsName) {
  try {
    LaunchedJob job({"/no/such/mpirun"});
    FAIL() << "it started";
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("/no/such/mpirun: No such file"));
  }
}

}  // namespace
}  // namespace ranksweep::cluster
