// A checkpoint is for everybody: Python reads it and gets the same validation loss.
#include <cstdio>

#include <gtest/gtest.h>

#include "tests/printed_enumerations.h"
#include "tests/worker/training/synthetic.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

// Small work: more threads would only get into each other's way.
const bool kOneThread = (at::set_num_threads(1), true);

const fs::path kPython = fs::path(RANKSWEEP_SOURCE_DIR) / ".venv-tests/bin/python";
const fs::path kScript =
    fs::path(RANKSWEEP_SOURCE_DIR) / "tests/worker/training/validate_checkpoint.py";

// What `command` prints, a number.
double number_from(const std::string& command) {
  FILE* output = popen(command.c_str(), "r");
  double number = 0;
  EXPECT_EQ(std::fscanf(output, "%lf", &number), 1) << command;
  EXPECT_EQ(pclose(output), 0) << command;
  return number;
}

class CheckpointInPython : public testing::TestWithParam<sweeps::TrainingMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, CheckpointInPython,
                         testing::Values(sweeps::TrainingMode::full, sweeps::TrainingMode::frozen));

TEST_P(CheckpointInPython, HasTheSameValidationLoss) {
  if (!fs::exists(kPython)) GTEST_SKIP() << kPython << " with torch and safetensors is not there";
  const TrialFolder folder;
  const TrainingData data = synthetic_data(2, 40, 12);
  FeatureStore store(folder.shared() / "cache");
  ScriptedSupervisor supervisor(4);
  TrainingJob job = synthetic_job(folder.path());
  job.spec.training = GetParam();
  train(job, data, store, supervisor);

  const sweeps::EpochMetrics* best = &supervisor.reported[0];
  for (const auto& each : supervisor.reported) {
    if (each.val_loss < best->val_loss) best = &each;
  }
  const fs::path checkpoint =
      folder.path() / ("best-" + std::to_string(best->epoch) + ".safetensors");
  const fs::path validation = folder.path() / "validation.safetensors";
  write_tensors(
      validation,
      {{"images", data.validation.images.to(torch::kFloat32)}, {"labels", data.validation.labels}},
      {});
  const double loss = number_from(kPython.string() + " " + kScript.string() + " " +
                                  checkpoint.string() + " " + validation.string());
  EXPECT_NEAR(loss, best->val_loss, 1e-5);
}

}  // namespace
}  // namespace ranksweep::worker
