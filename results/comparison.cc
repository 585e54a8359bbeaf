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
  row.push_back(results::name_of(trial->mark));
  row.push_back(to_cell(trial->best_epoch));
  row.push_back(to_cell(trial->val_loss));
}

// With a result that will not change: one that failed may do better on another day.
bool has_ended(const RankedTrial& trial) {
  return trial.mark == Mark::finished || trial.mark == Mark::collapsed ||
         trial.mark == Mark::diverged;
}

}  // namespace

Comparison::Comparison(const std::vector<RankedTrial>& first,
                       const std::vector<RankedTrial>& second) {
  std::map<sweeps::TrialId, const RankedTrial*> unmatched;
  for (const RankedTrial& trial : second) unmatched[trial.trial] = &trial;
  for (const RankedTrial& trial : first) {
    Pair pair{.first = trial, .second = {}};
    if (const auto found = unmatched.extract(trial.trial)) pair.second = *found.mapped();
    pairs_.push_back(std::move(pair));
  }
  for (const RankedTrial& trial : second) {
    if (unmatched.contains(trial.trial)) pairs_.push_back({.first = {}, .second = trial});
  }
  for (const Pair& pair : pairs_) ++counts_[judge(pair)];
}

Comparison::Verdict Comparison::judge(const Pair& pair) {
  if (!pair.second) return Verdict::first_alone;
  if (!pair.first) return Verdict::second_alone;
  if (!has_ended(*pair.first) || !has_ended(*pair.second)) return Verdict::not_ended;
  const bool equal = pair.first->mark == pair.second->mark &&
                     pair.first->best_epoch == pair.second->best_epoch &&
                     pair.first->val_loss == pair.second->val_loss;
  return equal ? Verdict::equal : Verdict::other;
}

const char* Comparison::name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::equal:
      return "equal";
    case Verdict::other:
      return "other";
    case Verdict::not_ended:
      return "not ended";
    case Verdict::first_alone:
      return "first alone";
    case Verdict::second_alone:
      break;
  }
  return "second alone";
}

int Comparison::count(Verdict verdict) const {
  const auto found = counts_.find(verdict);
  return found == counts_.end() ? 0 : found->second;
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
               {"difference", "difference"},
               {"verdict", "verdict"}},
              {}};
  for (const Pair& pair : pairs_) {
    const RankedTrial& any = pair.first ? *pair.first : *pair.second;
    std::vector<Cell> row = {any.trial.hex(), any.description};
    add_result(pair.first, row);
    add_result(pair.second, row);
    const bool both = pair.first && pair.second && pair.first->val_loss && pair.second->val_loss;
    row.push_back(both ? Cell{*pair.second->val_loss - *pair.first->val_loss} : Cell{});
    row.push_back(name_of(judge(pair)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string Comparison::summary() const {
  return fmt::format(
      "{} ended in both: {} with equal results, {} with others; {} not ended in both, {} in the "
      "first alone, {} in the second alone",
      count(Verdict::equal) + count(Verdict::other), count(Verdict::equal), count(Verdict::other),
      count(Verdict::not_ended), count(Verdict::first_alone), count(Verdict::second_alone));
}

}  // namespace ranksweep::results
