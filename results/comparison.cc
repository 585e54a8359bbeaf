#include "results/comparison.h"

#include <map>

#include <fmt/format.h>

namespace ranksweep::results {
namespace {

template <typename Value>
Cell to_cell(const std::optional<Value>& value) {
  if (!value) return {};
  if constexpr (std::is_same_v<Value, int>) return std::int64_t{*value};
  return *value;
}

void add_result(const std::optional<RankedTrial>& trial, std::vector<Cell>& row) {
  if (!trial) {
    row.resize(row.size() + 3);
    return;
  }
  row.push_back(name_of(trial->mark));
  row.push_back(to_cell(trial->best_epoch));
  row.push_back(to_cell(trial->val_loss));
}

}  // namespace

Comparison::Comparison(const std::vector<RankedTrial>& first,
                       const std::vector<RankedTrial>& second) {
  std::map<sweeps::TrialId, const RankedTrial*> unmatched;
  for (const RankedTrial& trial : second) unmatched[trial.trial] = &trial;
  for (const RankedTrial& trial : first) {
    Pair pair{.first = trial, .second = {}};
    if (const auto found = unmatched.extract(trial.trial)) {
      pair.second = *found.mapped();
      ++(equal(pair) ? equal_ : other_);
    } else {
      ++first_alone_;
    }
    pairs_.push_back(std::move(pair));
  }
  for (const RankedTrial& trial : second) {
    if (!unmatched.contains(trial.trial)) continue;
    pairs_.push_back({.first = {}, .second = trial});
    ++second_alone_;
  }
}

bool Comparison::equal(const Pair& pair) {
  return pair.first->mark == pair.second->mark &&
         pair.first->best_epoch == pair.second->best_epoch &&
         pair.first->val_loss == pair.second->val_loss;
}

Table Comparison::table() const {
  Table table{{{"trial", "trial", Show::identity},
               {"description", "description"},
               {"first_mark", "first: mark"},
               {"first_best_epoch", "epoch"},
               {"first_val_loss", "val loss", Show::loss},
               {"second_mark", "second: mark"},
               {"second_best_epoch", "epoch"},
               {"second_val_loss", "val loss", Show::loss},
               {"difference", "difference", Show::loss},
               {"verdict", "verdict"}},
              {}};
  for (const Pair& pair : pairs_) {
    const RankedTrial& any = pair.first ? *pair.first : *pair.second;
    std::vector<Cell> row = {any.trial.hex(), any.description};
    add_result(pair.first, row);
    add_result(pair.second, row);
    if (!pair.first || !pair.second) {
      row.insert(row.end(), {Cell{}, pair.first ? "first alone" : "second alone"});
    } else {
      const bool both = pair.first->val_loss && pair.second->val_loss;
      row.push_back(both ? Cell{*pair.second->val_loss - *pair.first->val_loss} : Cell{});
      row.push_back(equal(pair) ? "equal" : "other");
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string Comparison::summary() const {
  return fmt::format(
      "{} in both: {} with equal results, {} with others; {} in the first alone, {} in the second "
      "alone",
      equal_ + other_, equal_, other_, first_alone_, second_alone_);
}

}  // namespace ranksweep::results
