#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan.h"

namespace ranksweep::cli {

// What a trial is expected to cost. Multiply-adds are of all its epochs, early stopping left out:
// a training step counts three times a forward pass (forward, gradients of the inputs, gradients of
// the weights). Of the trials that share the passes of a frozen base, and its file, the first is
// charged for them: so it comes first, and the others find its features.
struct TrialCost {
  double multiply_adds = 0;
  double checkpoint_bytes = 0;  // best weights and resume state together
  // The number, from 0, that the trials which share a frozen base have in common, and the
  // multiply-adds of its passes.
  std::optional<int> base;
  double base_multiply_adds = 0;
  // What training holds at once, and how much more for each image of a device's part of a batch.
  double memory_bytes = 0;
  double memory_bytes_per_image = 0;
};

// The cost of each trial of `plan`, in its order. The trainer is asked what the networks are like,
// once for each image size.
std::vector<TrialCost> estimate_costs(const sweeps::Plan& plan, int train_images, int val_images,
                                      const std::filesystem::path& trainer);

// What trials have in common that share the passes of a frozen base: the same text. Empty for a
// trial whose base is never frozen.
std::string frozen_pass_of(const sweeps::TrialSpec& spec);

// Multiply-adds that one CPU core does in a second, for an estimate before anything was measured:
// ResNet-50, Inception v3 and VGG16 trained at batch 10 came to 60 to 90 thousand million a core on
// the server cores of 2025.
inline constexpr double kMultiplyAddsPerCoreSecond = 7e10;

}  // namespace ranksweep::cli
