#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "tests/temporary_folder.h"
#include "worker/training/training_loop.h"

namespace ranksweep::worker {

// Noise, in which the images of class c have a bright square at the c-th place.
inline ImageSet synthetic_images(int count, int classes, int size, std::uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  ImageSet set{.images = torch::randint(0, 200, {count, size, size, 3}, generator, torch::kUInt8),
               .labels = torch::arange(count, torch::kInt64).remainder(classes)};
  const int side = size / 4;
  for (int i = 0; i < count; ++i) {
    const std::int64_t begin = side * (i % classes);
    set.images[i].slice(0, begin, begin + side).slice(1, begin, begin + side).fill_(255);
  }
  return set;
}

inline TrainingData synthetic_data(int classes = 2, int train = 23, int validation = 9,
                                   int size = 32) {
  TrainingData data{.train = synthetic_images(train, classes, size, 1),
                    .validation = synthetic_images(validation, classes, size, 2),
                    .classes = {},
                    .fingerprint = "synthetic",
                    .skipped = {},
                    .owner = nullptr};
  for (int i = 0; i < classes; ++i) data.classes.push_back("class" + std::to_string(i));
  return data;
}

// A trial's own directory, in a folder that the trials of a sweep share.
class TrialFolder : public TemporaryFolder {
 public:
  TrialFolder() { std::filesystem::create_directory(path()); }
  std::filesystem::path path() const { return shared() / "trial"; }
  std::filesystem::path shared() const { return TemporaryFolder::path(); }
};

inline const char* const kTrialHex = "0123456789abcdef0123456789abcdef";

inline TrainingJob synthetic_job(const std::filesystem::path& folder) {
  TrainingJob job{.trial = sweeps::TrialId(kTrialHex), .spec = {}, .directory = folder};
  job.spec.architecture = "simple_cnn";
  job.spec.image_size = {32, 32};
  job.spec.batch_size = 5;
  job.spec.seed = 7;
  return job;
}

// Lets a run go on for `epochs` epochs, or stops it at the `stop_at`-th time that it asks.
class ScriptedSupervisor : public Supervisor {
 public:
  explicit ScriptedSupervisor(int epochs, int stop_at = -1) : epochs_(epochs), stop_at_(stop_at) {}

  void started(const TrainingStart& start) override { resumed_from = start.resumed_from; }
  void progressed(int, int, int, double) override {}
  bool stop_requested() override { return asked++ == stop_at_; }
  Decision epoch_done(const sweeps::EpochMetrics& metrics) override {
    reported.push_back(metrics);
    return metrics.epoch >= epochs_ ? Decision::complete : Decision::go_on;
  }

  void predicted(int epoch, const sweeps::Predictions& given) override {
    predicted_epoch = epoch;
    predictions = given;
  }

  int predicted_epoch = 0;  // none
  sweeps::Predictions predictions;
  int resumed_from = -1;
  int asked = 0;
  std::vector<sweeps::EpochMetrics> reported;

 private:
  int epochs_;
  int stop_at_;
};

}  // namespace ranksweep::worker
