#include "results/tables.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

using sweeps::TrialId;

template <typename Number>
Cell cell(const std::optional<Number>& number) {
  if (!number) return std::monostate{};
  if constexpr (std::is_floating_point_v<Number>) {
    return *number;
  } else {
    return std::int64_t{*number};
  }
}

void limit_rows(Table& table, const std::optional<std::size_t>& limit) {
  if (limit && table.rows.size() > *limit) table.rows.resize(*limit);
}

// The value of each of `names`, by trial.
std::vector<std::map<TrialId, Cell>> values_of(ResultsReader& reader,
                                               const std::vector<std::string>& names) {
  std::vector<std::map<TrialId, Cell>> values;
  for (const std::string& name : names) {
    values.push_back(reader.values_of(name));
    if (values.back().empty()) {
      throw StoreError(
          fmt::format("no trial has a parameter '{}'; `ranksweep show` lists those "
                      "that a trial has",
                      name));
    }
  }
  return values;
}

Cell value_of(const std::map<TrialId, Cell>& values, const TrialId& trial) {
  const auto found = values.find(trial);
  return found == values.end() ? Cell() : found->second;
}

// Of sorted numbers.
double median(const std::vector<double>& numbers) {
  const std::size_t middle = numbers.size() / 2;
  return numbers.size() % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

Table grouped_trials(ResultsReader& reader, const std::vector<std::string>& by) {
  const auto values = values_of(reader, by);
  std::map<std::vector<Cell>, std::vector<double>> losses;  // in the order of the ranking
  for (const RankedTrial& trial : reader.ranking()) {
    if (!trial.rank) continue;
    std::vector<Cell> group;
    for (const auto& of_trial : values) group.push_back(value_of(of_trial, trial.trial));
    losses[group].push_back(trial.val_loss.value());
  }
  Table table;
  for (const std::string& name : by) table.columns.push_back({name, name});
  const std::vector<Column> figures = {{"ranked_trials", "trials"},
                                       {"median_val_loss", "median val loss", Show::loss},
                                       {"min_val_loss", "min", Show::loss},
                                       {"max_val_loss", "max", Show::loss}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const auto& [group, of_group] : losses) {
    std::vector<Cell> row = group;
    row.insert(row.end(), {static_cast<std::int64_t>(of_group.size()), median(of_group),
                           of_group.front(), of_group.back()});
    table.rows.push_back(std::move(row));
  }
  const std::size_t by_median = by.size() + 1;
  std::stable_sort(table.rows.begin(), table.rows.end(),
                   [&](const auto& a, const auto& b) { return a[by_median] < b[by_median]; });
  return table;
}

}  // namespace

Table rank_table(ResultsReader& reader, const RankOptions& options) {
  Table table;
  reader.at_one_moment([&] {
    table = options.by.empty() ? rank_table(reader, reader.ranking())
                               : grouped_trials(reader, options.by);
  });
  limit_rows(table, options.limit);
  return table;
}

Table rank_table(ResultsReader& reader, const std::vector<RankedTrial>& ranking) {
  const std::vector<std::string> swept = reader.sweep().swept;
  const auto values = values_of(reader, swept);
  Table table;
  table.columns = {{"rank", "rank"},
                   {"val_loss", "val loss", Show::loss},
                   {"val_accuracy", "val acc", Show::percent}};
  for (const std::string& name : swept) table.columns.push_back({name, name});
  const std::vector<Column> figures = {{"mark", "mark"},
                                       {"best_epoch", "best epoch"},
                                       {"val_accuracy_low", "95 % from", Show::percent},
                                       {"val_accuracy_high", "to", Show::percent},
                                       {"train_loss", "train loss", Show::loss},
                                       {"train_accuracy", "train acc", Show::percent},
                                       {"seconds", "time", Show::duration},
                                       {"network_parameters", "parameters", Show::count},
                                       {"attempts", "attempts"},
                                       {"trial", "trial", Show::identity}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const RankedTrial& trial : ranking) {
    auto& row = table.rows.emplace_back();
    row = {cell(trial.rank), cell(trial.val_loss), cell(trial.val_accuracy)};
    for (const auto& of_trial : values) row.push_back(value_of(of_trial, trial.trial));
    const auto interval = accuracy_interval(trial);
    row.insert(row.end(),
               {std::string(name_of(trial.mark)), cell(trial.best_epoch),
                interval ? Cell(interval->low) : Cell(), interval ? Cell(interval->high) : Cell(),
                cell(trial.train_loss), cell(trial.train_accuracy),
                trial.epochs_done > 0 ? Cell(trial.seconds) : Cell(),
                cell(trial.network_parameters), std::int64_t{trial.attempts}, trial.trial.hex()});
  }
  return table;
}

Table study_table(const std::vector<RankedTrial>& ranking) {
  Table table;
  table.columns = {{"model", "model"},
                   {"min_val_loss_epoch", "min val loss epoch"},
                   {"min_val_loss", "min val loss", Show::loss},
                   {"val_accuracy", "val accuracy", Show::percent},
                   {"train_loss", "training loss", Show::loss},
                   {"train_accuracy", "training accuracy", Show::percent}};
  for (const RankedTrial& trial : ranking) {
    if (!trial.best_epoch) continue;
    table.rows.push_back({trial.description, cell(trial.best_epoch), cell(trial.val_loss),
                          cell(trial.val_accuracy), cell(trial.train_loss),
                          cell(trial.train_accuracy)});
  }
  return table;
}

Table status_table(const std::vector<RankedTrial>& ranking) {
  std::map<Mark, std::int64_t> counts;
  for (const RankedTrial& trial : ranking) ++counts[trial.mark];
  Table table{{{"mark", "mark"}, {"trials", "trials"}}, {}};
  for (const auto& [mark, count] : counts)
    table.rows.push_back({std::string(name_of(mark)), count});
  return table;
}

Table running_table(ResultsReader& reader) {
  Table table = reader.query(R"(
      SELECT attempt.rank, attempt.host, attempt.device,
        substr(trial.identity, 1, 8) AS trial, sweep_trial.description, attempt.begun_at,
        last.epoch, last.val_loss, last.val_accuracy
      FROM attempt
      JOIN trial ON trial.id = attempt.trial
      JOIN sweep_trial ON sweep_trial.trial = trial.id
      LEFT JOIN epoch AS last ON last.trial = trial.id
        AND last.epoch = (SELECT max(epoch) FROM epoch WHERE epoch.trial = trial.id)
      WHERE attempt.outcome IS NULL
      ORDER BY attempt.rank, attempt.id)");
  const std::vector<Column> shown = {{"begun_at", "begun"},
                                     {"epoch", "epoch"},
                                     {"val_loss", "val loss", Show::loss},
                                     {"val_accuracy", "val acc", Show::percent}};
  std::copy(shown.begin(), shown.end(), table.columns.begin() + 5);
  return table;
}

Table skipped_table(ResultsReader& reader) {
  return reader.query("SELECT file AS skipped_file, reason FROM skipped_file ORDER BY file");
}

Table trouble_table(ResultsReader& reader) {
  return reader.query(R"(
      SELECT at, rank, kind AS trouble, message FROM event
      WHERE kind IN ('quarantined', 'rank lost')
        AND invocation = (SELECT max(id) FROM invocation)
      ORDER BY id)");
}

Table device_table(ResultsReader& reader) {
  Table table = reader.query(R"(
      SELECT rank, host, device, attempts, trials, epochs, held_s, epoch_s, data_wait_s,
        iif(epoch_s > 0, train_images / epoch_s, NULL) AS images_per_s
      FROM device_use)");
  const std::vector<Column> shown = {{"held_s", "held", Show::duration},
                                     {"epoch_s", "in epochs", Show::duration},
                                     {"data_wait_s", "waiting for images", Show::duration},
                                     {"images_per_s", "images/s", Show::count}};
  std::copy(shown.begin(), shown.end(), table.columns.begin() + 6);
  return table;
}

}  // namespace ranksweep::results
