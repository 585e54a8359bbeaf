#include "tools/cli/cost_model.h"

#include <array>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cluster/child_process.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

struct Network {
  double multiply_adds = 0;  // of the base, one image
  double parameters = 0;
};
using Networks = std::map<std::string, Network>;  // by architecture

Networks ask_trainer(const std::filesystem::path& trainer, const std::set<std::string>& names,
                     std::array<int, 2> image_size) {
  const std::string answer =
      cluster::output_of({trainer.string(), "models", "--format", "json", "--architectures",
                 fmt::format("{}", fmt::join(names, ",")), "--image-size",
                 fmt::format("{}x{}", image_size[0], image_size[1])});
  Networks networks;
  for (const auto& each : nlohmann::json::parse(answer)) {
    networks[each.at("name")] = {.multiply_adds = each.at("multiply_adds"),
                                 .parameters = each.at("parameters")};
  }
  return networks;
}

double passes_over_base(const sweeps::TrialSpec& spec, double train_images, double val_images) {
  const double epochs = spec.epochs;
  if (spec.training == sweeps::TrainingMode::full) {
    return epochs * (3 * train_images + val_images);
  }
  // A frozen base sees the same images in every epoch, unless they are augmented.
  const bool augmented = spec.augmentation != sweeps::Augmentation{};
  return (augmented ? epochs : 1) * train_images + val_images;
}

TrialCost cost_of(const sweeps::TrialSpec& spec, const Network& network, double train_images,
                  double val_images) {
  constexpr double kBytesPerNumber = 4;
  // The best weights; in the resume state the weights again, and the optimizer's running averages.
  const double copies = 4;
  return {.multiply_adds = network.multiply_adds * passes_over_base(spec, train_images, val_images),
          .checkpoint_bytes = network.parameters * kBytesPerNumber * copies};
}

}  // namespace

std::vector<TrialCost> estimate_costs(const sweeps::Plan& plan, int train_images, int val_images,
                                      const std::filesystem::path& trainer) {
  std::map<std::array<int, 2>, std::set<std::string>> names_by_size;
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    names_by_size[trial.spec.image_size].insert(trial.spec.architecture);
  }
  std::map<std::array<int, 2>, Networks> networks;
  for (const auto& [size, names] : names_by_size) {
    networks[size] = ask_trainer(trainer, names, size);
  }
  std::vector<TrialCost> costs;
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    costs.push_back(cost_of(trial.spec,
                            networks.at(trial.spec.image_size).at(trial.spec.architecture),
                            train_images, val_images));
  }
  return costs;
}

}  // namespace ranksweep::cli
