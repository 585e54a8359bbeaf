// The scripts in batch_scripts/ are what batch_script() writes, to be read as a user reads them.
// With RANKSWEEP_UPDATE=1 in the environment they are written anew.
#include "cluster/batch_script.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/child_process.h"
#include "tests/file_content.h"

namespace ranksweep::cluster {
namespace {

const std::filesystem::path kFolder = RANKSWEEP_SOURCE_DIR "/tests/cluster/batch_scripts";

BatchJob plain_job() {
  return {.name = "smile",
          .program = "/opt/ranksweep/bin/ranksweep",
          .sweep_file = "/home/ada/smile.yaml",
          .database = "/home/ada/smile.db",
          .script = "/home/ada/smile.sbatch",
          .ranks_per_node = 4};
}

BatchJob array_job() {
  BatchJob job = plain_job();
  job.tasks = 16;
  job.ranks_per_node = 1;
  job.gpus_per_node = 1;
  job.profile.scratch = "/scratch/$SLURM_JOB_ID/`x\"";
  return job;
}

BatchJob elaborate_job() {
  BatchJob job = plain_job();
  job.name = "Ada's faces";
  job.database = "/home/ada/100% new/ada's.db";
  job.script = "/home/ada/100% new/ada's.sbatch";
  job.nodes = "1-4";
  job.ranks_per_node = 4;
  job.gpus_per_node = 4;
  job.cores_per_rank = 8;
  job.time = "8:00:00";
  job.warning = std::chrono::seconds(60);
  job.max_requeues = 5;
  job.profile = {.launcher = Launcher::srun_pmix,
                 .launcher_options = {"--label"},
                 .modules = {"gcc", "openmpi/4.1.4"},
                 .environment = {{"UCX_TLS", "all"}, {"GREETING", "it's $me"}},
                 .partition = "gpu",
                 .account = "faces",
                 .sbatch = {"--constraint=a100", "--mail-type=FAIL"}};
  return job;
}

std::string expected(const std::string& name, const std::string& text) {
  if (std::getenv("RANKSWEEP_UPDATE") != nullptr) {
    std::ofstream(kFolder / name) << text;
  }
  return content_of(kFolder / name);
}

TEST(BatchScript, OfAPlainJob) {
  const std::string text = batch_script(plain_job());
  EXPECT_EQ(text, expected("plain.sbatch", text));
}

TEST(BatchScript, OfAJobWithEverything) {
  const std::string text = batch_script(elaborate_job());
  EXPECT_EQ(text, expected("elaborate.sbatch", text));
}

TEST(BatchScript, MpichIsStartedBySrun) {
  BatchJob job = plain_job();
  job.profile.launcher = Launcher::srun_pmi2;
  EXPECT_THAT(batch_script(job), testing::HasSubstr("\nsrun --mpi=pmi2 --cpu-bind=none "
                                                    "--kill-on-bad-exit=0 /opt/ranksweep/bin/"));
}

TEST(BatchScript, OfAJobArray) {
  const std::string text = batch_script(array_job());
  EXPECT_EQ(text, expected("array.sbatch", text));
}

TEST(BatchScript, IsValidBash) {
  for (const BatchJob& job : {plain_job(), elaborate_job(), array_job()}) {
    EXPECT_NO_THROW(output_of({"bash", "-n", "-c", batch_script(job)}));
  }
}

}  // namespace
}  // namespace ranksweep::cluster
