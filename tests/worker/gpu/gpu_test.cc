// What a GPU computes, beside the same on a CPU. Numbers differ by the order of sums, so they are
// compared loosely.
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "tests/printed_enumerations.h"
#include "tests/worker/training/synthetic.h"
#include "worker/augmentation/augment.h"
#include "worker/parallel/trainer_group.h"
#include "worker/training/training_loop.h"

namespace ranksweep::worker {
namespace {

const torch::Device kGpu(torch::kCUDA, 0);

class Gpu : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch::cuda::is_available()) GTEST_SKIP() << "no GPU that this LibTorch can use";
  }
};

TrainingJob job_on(torch::Device device, const TrialFolder& folder) {
  TrainingJob job = synthetic_job(folder.path());
  job.device = device;
  job.spec.optimizer =
      sweeps::Optimizer::sgd;  // RMSprop's first steps amplify what rounding changes
  job.spec.dropout = 0;
  return job;
}

std::vector<sweeps::EpochMetrics> epochs_of(const TrainingJob& job, const TrainingData& data,
                                            int epochs = 2) {
  FeatureStore store(job.directory.parent_path() / "cache");
  ScriptedSupervisor supervisor(epochs);
  EXPECT_EQ(train(job, data, store, supervisor).kind, TrainingEnd::Kind::finished);
  return supervisor.reported;
}

void expect_near(const std::vector<sweeps::EpochMetrics>& found,
                 const std::vector<sweeps::EpochMetrics>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i].train_loss, expected[i].train_loss, 0.02);
    EXPECT_NEAR(found[i].val_loss, expected[i].val_loss, 0.02);
    EXPECT_EQ(found[i].val_images, expected[i].val_images);
  }
}

// What a trial has other than a small network in float32.
struct Variant {
  std::string name;
  std::function<void(sweeps::TrialSpec&)> apply;
};
void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

const Variant kPlain{"plain", [](sweeps::TrialSpec&) {}};
const Variant kAugmented{"augmented", [](sweeps::TrialSpec& spec) {
                           spec.augmentation = *sweeps::find_augmentation_preset("standard");
                         }};

class GpuBesideCpu : public Gpu, public testing::WithParamInterface<Variant> {};
INSTANTIATE_TEST_SUITE_P(Trials, GpuBesideCpu,
                         testing::Values(kPlain, kAugmented,
                                         Variant{"contiguous",
                                                 [](sweeps::TrialSpec& spec) {
                                                   spec.memory_format =
                                                       sweeps::MemoryFormat::contiguous;
                                                 }},
                                         Variant{"frozen_resnet50", [](sweeps::TrialSpec& spec) {
                                                   spec.architecture = "resnet50";
                                                   spec.training = sweeps::TrainingMode::frozen;
                                                 }}));

TEST_P(GpuBesideCpu, GivesTheSameEpochs) {
  const TrainingData data = synthetic_data();
  const TrialFolder on_cpu;
  const TrialFolder on_gpu;
  TrainingJob cpu = job_on(torch::kCPU, on_cpu);
  TrainingJob gpu = job_on(kGpu, on_gpu);
  GetParam().apply(cpu.spec);
  GetParam().apply(gpu.spec);
  expect_near(epochs_of(gpu, data), epochs_of(cpu, data));
}

class GpuPrecision : public Gpu, public testing::WithParamInterface<sweeps::Precision> {};
INSTANTIATE_TEST_SUITE_P(Shorter, GpuPrecision,
                         testing::Values(sweeps::Precision::tf32, sweeps::Precision::bfloat16,
                                         sweeps::Precision::float16));

TEST_P(GpuPrecision, TrainsNearlyAsFloat32) {
  const TrainingData data = synthetic_data();
  const TrialFolder exact_folder;
  const TrialFolder folder;
  TrainingJob job = job_on(kGpu, folder);
  job.spec.precision = GetParam();
  const auto exact = epochs_of(job_on(kGpu, exact_folder), data);
  const auto shorter = epochs_of(job, data);
  ASSERT_EQ(shorter.size(), exact.size());
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_NEAR(shorter[i].train_loss, exact[i].train_loss, 0.1);
  }
}

class GpuGraphs : public Gpu, public testing::WithParamInterface<Variant> {};
INSTANTIATE_TEST_SUITE_P(
    Trials, GpuGraphs,
    testing::Values(
        kPlain, kAugmented, Variant{"dropout", [](sweeps::TrialSpec& spec) { spec.dropout = 0.5; }},
        Variant{"bfloat16",
                [](sweeps::TrialSpec& spec) { spec.precision = sweeps::Precision::bfloat16; }},
        Variant{"float16",
                [](sweeps::TrialSpec& spec) { spec.precision = sweeps::Precision::float16; }},
        Variant{"unfrozen_later", [](sweeps::TrialSpec& spec) {
                  spec.training = sweeps::TrainingMode::frozen;
                  spec.unfreeze_at_epoch = 3;
                }}));

// Six epochs of five steps, of which the last is smaller: both shapes are replayed.
TEST_P(GpuGraphs, GiveTheEpochsOfStepsAsTheyAre) {
  const TrainingData data = synthetic_data();
  const TrialFolder plain_folder;
  const TrialFolder folder;
  TrainingJob plain = job_on(kGpu, plain_folder);
  TrainingJob job = job_on(kGpu, folder);
  GetParam().apply(plain.spec);
  GetParam().apply(job.spec);
  job.cuda_graphs = true;
  expect_near(epochs_of(job, data, 6), epochs_of(plain, data, 6));
}

TEST_F(Gpu, ComputesBatchesInParts) {
  const TrainingData data = synthetic_data();
  const TrialFolder whole_folder;
  const TrialFolder folder;
  TrainingJob whole = job_on(kGpu, whole_folder);
  TrainingJob job = job_on(kGpu, folder);
  whole.spec.architecture = job.spec.architecture = "vgg16_simple";  // no batch normalisation
  job.batch_parts = 2;
  expect_near(epochs_of(job, data), epochs_of(whole, data));
}

TEST_F(Gpu, AugmentsAsACpuDoes) {
  const ImageSet set = synthetic_images(6, 2, 40, 5);
  const std::vector<std::int64_t> images = {0, 1, 2, 3, 4, 5};
  const auto& strong = *sweeps::find_augmentation_preset("strong");
  const torch::Tensor on_cpu = augment(set.images, images, 3, strong, 0).to(torch::kFloat32);
  const torch::Tensor on_gpu =
      augment(set.images.to(kGpu), images, 3, strong, 0).cpu().to(torch::kFloat32);
  // Of 255; a pixel on the edge of two may round to the other one.
  EXPECT_LT((on_gpu - on_cpu).abs().mean().item<double>(), 0.5);
}

TEST_F(Gpu, GoesOnAfterAnInterruption) {
  const TrainingData data = synthetic_data();
  const TrialFolder whole_folder;
  const auto whole = epochs_of(job_on(kGpu, whole_folder), data, 3);
  const TrialFolder folder;
  const TrainingJob job = job_on(kGpu, folder);
  FeatureStore store(folder.shared() / "cache");
  ScriptedSupervisor stopped(3, /*stop_at=*/7);
  ASSERT_EQ(train(job, data, store, stopped).kind, TrainingEnd::Kind::stopped);
  ScriptedSupervisor resumed(3);
  ASSERT_EQ(train(job, data, store, resumed).kind, TrainingEnd::Kind::finished);
  EXPECT_NEAR(resumed.reported.back().val_loss, whole.back().val_loss, 0.02);
}

TEST_F(Gpu, TrainsInAGroupOfOneThroughNccl) {
  const TrainingData data = synthetic_data();
  const TrialFolder alone;
  const TrialFolder together;
  TrainingJob job = job_on(kGpu, together);
  const LedGroup led = lead_group(1, kGpu);
  job.group = led.group.get();
  expect_near(epochs_of(job, data), epochs_of(job_on(kGpu, alone), data));
}

}  // namespace
}  // namespace ranksweep::worker
