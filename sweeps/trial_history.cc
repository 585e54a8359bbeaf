#include "sweeps/trial_history.h"

#include <array>
#include <stdexcept>

#include <fmt/format.h>

namespace ranksweep::sweeps {
namespace {

// In the order of the enumerators.
constexpr std::array kTrialStates = {"pending", "running", "finished", "diverged", "failed"};
constexpr std::array kOutcomes = {"finished", "diverged", "failed", "lost", "interrupted"};

template <typename Enumeration, std::size_t size>
Enumeration find_name(const std::array<const char*, size>& names, const std::string& name,
                      const char* what) {
  for (std::size_t i = 0; i < size; ++i) {
    if (name == names[i]) return static_cast<Enumeration>(i);
  }
  throw std::invalid_argument(
      fmt::format("'{}' is no {}: allowed are {}", name, what, fmt::join(names, ", ")));
}

}  // namespace

const char* name_of(TrialState state) { return kTrialStates.at(static_cast<std::size_t>(state)); }

const char* name_of(AttemptOutcome outcome) {
  return kOutcomes.at(static_cast<std::size_t>(outcome));
}

TrialState trial_state_from(const std::string& name) {
  return find_name<TrialState>(kTrialStates, name, "state of a trial");
}

AttemptOutcome attempt_outcome_from(const std::string& name) {
  return find_name<AttemptOutcome>(kOutcomes, name, "outcome of an attempt");
}

}  // namespace ranksweep::sweeps
