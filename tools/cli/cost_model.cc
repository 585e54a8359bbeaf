#include "tools/cli/cost_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cluster/child_process.h"
#include "sweeps/architectures.h"
#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

constexpr const char* kTorchScript = "--torchscript";

struct Network {
  double multiply_adds = 0;  // of the base, one image
  double parameters = 0;
  double base_parameters = 0;
  double activation_bytes = 0;  // of one image
};
using Networks = std::map<std::string, Network>;  // by architecture, or by the file that brings it

// By what the trainer knows a trial's base.
std::string network_of(const sweeps::TrialSpec& spec) {
  return sweeps::is_torchscript(spec.architecture) ? spec.weights.value() : spec.architecture;
}

// The networks that a trainer is asked about, each with the option that names it.
using Asked = std::map<std::string, std::string>;

Networks ask_for_networks(const std::filesystem::path& trainer, const Asked& asked,
                          std::array<int, 2> image_size) {
  std::vector<std::string> command = {
      trainer.string(), "models",       "--format",
      "json",           "--image-size", fmt::format("{}x{}", image_size[0], image_size[1])};
  bool files = false;
  for (const auto& [network, option] : asked) {
    command.insert(command.end(), {option, network});
    files = files || option == kTorchScript;
  }
  std::string answer;
  try {
    answer = cluster::output_of(command);
  } catch (const std::runtime_error& error) {
    // Names and sizes have been checked, so it is a file.
    if (files) throw CommandError(ExitCode::bad_input, error.what());
    throw;
  }
  Networks networks;
  for (const auto& each : nlohmann::json::parse(answer)) {
    networks[each.at("name")] = {.multiply_adds = each.at("multiply_adds"),
                                 .parameters = each.at("parameters"),
                                 .base_parameters = each.at("base_parameters"),
                                 .activation_bytes = each.at("activation_bytes")};
  }
  return networks;
}

// Epochs in which the whole base is frozen.
int frozen_epochs(const sweeps::TrialSpec& spec) {
  if (spec.training == sweeps::TrainingMode::full) return 0;
  return spec.unfreeze_at_epoch ? std::min(*spec.unfreeze_at_epoch - 1, spec.epochs) : spec.epochs;
}

// Passes of a frozen base over images. It sees the same in every epoch, unless they are augmented.
double frozen_passes(const sweeps::TrialSpec& spec, double train_images, double val_images) {
  const bool augmented = spec.augmentation != sweeps::Augmentation{};
  return (augmented ? frozen_epochs(spec) : 1) * train_images + val_images;
}

// `base`: the frozen base that it shares; `first`: no trial before this one runs that base.
TrialCost cost_of(const sweeps::TrialSpec& spec, const Network& network, double train_images,
                  double val_images, std::optional<int> base, bool first) {
  constexpr double kBytesPerNumber = 4;
  // On disk the best weights, and in the resume state the weights again, with the optimizer's
  // running averages; in memory gradients in place of the second weights.
  constexpr double kCopies = 4;
  const bool base_is_trained = frozen_epochs(spec) < spec.epochs;
  const double head_parameters = network.parameters - network.base_parameters;
  const double images_an_epoch = 3 * train_images + val_images;

  double multiply_adds = spec.epochs * images_an_epoch * head_parameters;
  multiply_adds += (spec.epochs - frozen_epochs(spec)) * images_an_epoch * network.multiply_adds;
  const double own_numbers = kCopies * (base_is_trained ? network.parameters : head_parameters);
  double numbers = own_numbers;
  const double base_multiply_adds =
      base ? frozen_passes(spec, train_images, val_images) * network.multiply_adds : 0;
  if (first) {
    multiply_adds += base_multiply_adds;
    if (!base_is_trained) numbers += network.base_parameters;  // one file for all of them
  }
  return {.multiply_adds = multiply_adds,
          .checkpoint_bytes = numbers * kBytesPerNumber,
          .base = base,
          .base_multiply_adds = base_multiply_adds,
          .memory_bytes = own_numbers * kBytesPerNumber,
          .memory_bytes_per_image = base_is_trained ? network.activation_bytes : 0};
}

}  // namespace

std::string frozen_pass_of(const sweeps::TrialSpec& spec) {
  if (frozen_epochs(spec) == 0) return "";
  nlohmann::json key = sweeps::to_canonical_json(spec);
  const std::string weights =
      spec.weights_hash ? *spec.weights_hash : fmt::format("random {}", spec.seed);
  return nlohmann::json{weights,
                        key["architecture"],
                        key["image_size"],
                        key["augmentation"],
                        key["data_seed"],
                        key["normalization"],
                        spec.head.pooling,
                        key["precision"],
                        key["memory_format"]}
      .dump();
}

std::vector<TrialCost> estimate_costs(const sweeps::Plan& plan, int train_images, int val_images,
                                      const std::filesystem::path& trainer) {
  std::map<std::array<int, 2>, Asked> by_size;
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    const sweeps::TrialSpec& spec = trial.spec;
    by_size[spec.image_size][network_of(spec)] =
        sweeps::is_torchscript(spec.architecture) ? kTorchScript : "--architectures";
  }
  std::map<std::array<int, 2>, Networks> networks;
  for (const auto& [size, asked] : by_size) networks[size] = ask_for_networks(trainer, asked, size);
  std::vector<TrialCost> costs;
  std::map<std::string, int> bases;  // their numbers
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    const sweeps::TrialSpec& spec = trial.spec;
    std::optional<int> base;
    bool first = false;
    if (const std::string pass = frozen_pass_of(spec); !pass.empty()) {
      const auto entry = bases.try_emplace(pass, static_cast<int>(bases.size()));
      base = entry.first->second;
      first = entry.second;
    }
    costs.push_back(cost_of(spec, networks.at(spec.image_size).at(network_of(spec)), train_images,
                            val_images, base, first));
  }
  return costs;
}

}  // namespace ranksweep::cli
