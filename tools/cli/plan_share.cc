#include "tools/cli/plan_share.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "tools/cli/cost_model.h"

namespace ranksweep::cli {
namespace {

// Trials that belong together, as indices into the plan.
struct Batch {
  std::vector<std::size_t> trials;
  double cost = 0;
};

std::vector<Batch> batches_of(const sweeps::Plan& plan) {
  std::vector<Batch> batches;
  std::map<std::string, std::size_t> batch_of_pass;
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    std::size_t batch = batches.size();
    if (const std::string pass = frozen_pass_of(plan.trials[i].spec); !pass.empty()) {
      batch = batch_of_pass.emplace(pass, batch).first->second;
    }
    if (batch == batches.size()) batches.emplace_back();
    batches[batch].trials.push_back(i);
    batches[batch].cost += plan.trials[i].cost;
  }
  return batches;
}

int positive_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

std::string Share::text() const { return fmt::format("{}/{}", number, of); }

std::optional<Share> parse_share(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string_view view(text);
  const Share share{.number = positive_number(view.substr(0, slash)),
                    .of = positive_number(view.substr(slash + 1))};
  return share.number >= 1 && share.number <= share.of ? std::optional(share) : std::nullopt;
}

sweeps::Plan share_of(const sweeps::Plan& plan, const Share& share) {
  struct Work {
    double cost = 0;
    std::size_t trials = 0;
  };
  std::vector<Batch> batches = batches_of(plan);
  std::ranges::stable_sort(batches, std::ranges::greater(), &Batch::cost);
  std::vector<Work> work(static_cast<std::size_t>(share.of));
  std::vector<std::size_t> chosen;
  for (const Batch& batch : batches) {
    const auto least = std::ranges::min_element(
        work, {}, [](const Work& each) { return std::tuple(each.cost, each.trials); });
    least->cost += batch.cost;
    least->trials += batch.trials.size();
    if (least - work.begin() == share.number - 1) {
      chosen.insert(chosen.end(), batch.trials.begin(), batch.trials.end());
    }
  }
  std::ranges::sort(chosen);
  sweeps::Plan part = plan;
  part.trials.clear();
  for (const std::size_t trial : chosen) part.trials.push_back(plan.trials[trial]);
  return part;
}

}  // namespace ranksweep::cli
