#include "results/tables.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/comparison_with_best.h"
#include "results/metric.h"
#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

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

using ValueOfTrial = std::unordered_map<std::int64_t, Cell>;  // by RankedTrial::row

// The value of each of `names`, by trial.
std::vector<ValueOfTrial> values_of(ResultsReader& reader, const std::vector<std::string>& names,
                                    std::span<const RankedTrial> trials) {
  std::vector<std::int64_t> rows;
  for (const RankedTrial& trial : trials) rows.push_back(trial.row);
  std::vector<ValueOfTrial> values;
  for (const std::string& name : names) values.push_back(reader.values_of(name, rows));
  return values;
}

std::vector<ValueOfTrial> groups_of(ResultsReader& reader, const std::vector<std::string>& names) {
  std::vector<ValueOfTrial> values;
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

Cell value_of(const ValueOfTrial& values, const RankedTrial& trial) {
  const auto found = values.find(trial.row);
  return found == values.end() ? Cell() : found->second;
}

// Of sorted numbers.
double median(const std::vector<double>& numbers) {
  const std::size_t middle = numbers.size() / 2;
  return numbers.size() % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

Metric own_metric(ResultsReader& reader, const std::string& name, bool higher_is_better) {
  const std::vector<std::string> names = reader.own_metric_names();
  if (std::ranges::find(names, name) == names.end()) {
    throw StoreError(fmt::format("there is no metric '{}'; there are {}{}{}", name,
                                 fmt::join(metric_names(), ", "), names.empty() ? "" : ", ",
                                 fmt::join(names, ", ")));
  }
  return {.name = name,
          .heading = name,
          .higher_is_better = higher_is_better,
          .of = [values = reader.own_metric_at_best(name)](const RankedTrial& trial) {
            const auto found = values.find(trial.row);
            return found == values.end() ? std::nullopt : std::optional(found->second);
          }};
}

Metric chosen_metric(ResultsReader& reader, const RankOptions& options) {
  const Metric* metric = find_metric(options.metric);
  return metric != nullptr ? *metric : own_metric(reader, options.metric, options.highest);
}

Table grouped_trials(ResultsReader& reader, const std::vector<std::string>& by,
                     const Metric& metric) {
  const auto values = groups_of(reader, by);
  std::map<std::vector<Cell>, std::vector<double>> figures;
  for (const RankedTrial& trial : reader.ranking()) {
    const auto figure = metric.of(trial);
    if (!trial.rank || !figure) continue;
    std::vector<Cell> group;
    for (const auto& of_trial : values) group.push_back(value_of(of_trial, trial));
    figures[group].push_back(*figure);
  }
  Table table;
  for (const std::string& name : by) table.columns.push_back({name, name});
  const std::vector<Column> columns = {
      {"ranked_trials", "trials"},
      {"median_" + metric.name, "median " + metric.heading, metric.show},
      {"min_" + metric.name, "min", metric.show},
      {"max_" + metric.name, "max", metric.show}};
  table.columns.insert(table.columns.end(), columns.begin(), columns.end());
  for (auto& [group, of_group] : figures) {
    std::ranges::sort(of_group);
    std::vector<Cell> row = group;
    row.insert(row.end(), {static_cast<std::int64_t>(of_group.size()), median(of_group),
                           of_group.front(), of_group.back()});
    table.rows.push_back(std::move(row));
  }
  const std::size_t by_median = by.size() + 1;
  std::ranges::stable_sort(table.rows, [&](const auto& a, const auto& b) {
    return metric.higher_is_better ? a[by_median] > b[by_median] : a[by_median] < b[by_median];
  });
  return table;
}

// "yes" and "no": for people and for programs alike.
Cell like_best(const RankedTrial& trial) {
  if (!trial.like_best) return {};
  return std::string(*trial.like_best ? "yes" : "no");
}

Cell low(const std::optional<Interval>& interval) {
  return interval ? Cell(interval->low) : Cell();
}
Cell high(const std::optional<Interval>& interval) {
  return interval ? Cell(interval->high) : Cell();
}

Table single_trials(ResultsReader& reader, const RankOptions& options) {
  const Metric metric = chosen_metric(reader, options);
  const bool as_stored = metric.name == metrics().front().name;
  std::vector<RankedTrial> ranking = reader.ranking(as_stored ? options.limit : std::nullopt);
  std::optional<RankedTrial> best;
  if (!ranking.empty() && ranking.front().rank) best = ranking.front();
  if (!as_stored) rank_by(metric, ranking);
  if (options.limit && ranking.size() > *options.limit) ranking.resize(*options.limit);
  if (best) compare_with_best(reader, *best, ranking);
  Table table = rank_table(reader, ranking);
  if (find_metric(metric.name) == nullptr) {
    table.columns.push_back({metric.name, metric.heading, metric.show});
    for (std::size_t i = 0; i < ranking.size(); ++i) {
      table.rows[i].push_back(cell(metric.of(ranking[i])));
    }
  }
  return table;
}

}  // namespace

Table rank_table(ResultsReader& reader, const RankOptions& options) {
  Table table;
  reader.at_one_moment([&] {
    table = options.by.empty() ? single_trials(reader, options)
                               : grouped_trials(reader, options.by, chosen_metric(reader, options));
  });
  limit_rows(table, options.limit);
  return table;
}

Table rank_table(ResultsReader& reader, std::span<const RankedTrial> trials) {
  const SweepInfo sweep = reader.sweep();
  const auto values = values_of(reader, sweep.swept, trials);
  const bool with_test = sweep.test_images > 0;
  Table table;
  const auto add = [&](const std::vector<Column>& columns) {
    table.columns.insert(table.columns.end(), columns.begin(), columns.end());
  };
  add({{"rank", "rank"},
       {"val_loss", "val loss", Show::loss},
       {"val_accuracy", "val acc", Show::percent}});
  if (with_test) {
    add({{"test_loss", "test loss", Show::loss}, {"test_accuracy", "test acc", Show::percent}});
  }
  for (const std::string& name : sweep.swept) add({{name, name}});
  add({{"mark", "mark"},
       {"like_best", "like best"},
       {"best_epoch", "best epoch"},
       {"val_loss_low", "loss from", Show::loss},
       {"val_loss_high", "to", Show::loss},
       {"val_accuracy_low", "acc from", Show::percent},
       {"val_accuracy_high", "to", Show::percent},
       {"train_loss", "train loss", Show::loss},
       {"train_accuracy", "train acc", Show::percent},
       {"seconds", "time", Show::duration},
       {"network_parameters", "parameters", Show::count},
       {"attempts", "attempts"},
       {"trial", "trial", Show::identity}});
  for (const RankedTrial& trial : trials) {
    auto& row = table.rows.emplace_back();
    row.reserve(table.columns.size());
    row = {cell(trial.rank), cell(trial.val_loss), cell(trial.val_accuracy)};
    if (with_test) row.insert(row.end(), {cell(trial.test_loss), cell(trial.test_accuracy)});
    for (const auto& of_trial : values) row.push_back(value_of(of_trial, trial));
    const auto accuracy = accuracy_interval(trial);
    row.insert(row.end(),
               {std::string(name_of(trial.mark)), like_best(trial), cell(trial.best_epoch),
                low(trial.val_loss_interval), high(trial.val_loss_interval), low(accuracy),
                high(accuracy), cell(trial.train_loss), cell(trial.train_accuracy),
                trial.epochs_done > 0 ? Cell(trial.seconds) : Cell(),
                cell(trial.network_parameters), std::int64_t{trial.attempts}, trial.trial.hex()});
  }
  return table;
}

Table test_table(const std::vector<RankedTrial>& ranking) {
  Table table{{{"trial", "trial", Show::identity},
               {"description", "tested"},
               {"best_epoch", "epoch"},
               {"val_loss", "val loss", Show::loss},
               {"test_loss", "test loss", Show::loss},
               {"test_accuracy", "test acc", Show::percent},
               {"test_images", "test images"}},
              {}};
  for (const RankedTrial& trial : ranking) {
    if (!trial.test_accuracy) continue;
    table.rows.push_back({trial.trial.hex(), trial.description, cell(trial.best_epoch),
                          cell(trial.val_loss), cell(trial.test_loss), cell(trial.test_accuracy),
                          std::int64_t{trial.test_images}});
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
      LEFT JOIN epoch AS last ON last.trial = trial.id AND last.epoch = trial.epochs_done
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
        iif(epoch_s > 0, train_images / epoch_s, NULL) AS images_per_s,
        peak_memory_bytes >> 20 AS peak_memory_mib
      FROM device_use)");
  const std::vector<Column> shown = {{"held_s", "held", Show::duration},
                                     {"epoch_s", "in epochs", Show::duration},
                                     {"data_wait_s", "waiting for images", Show::duration},
                                     {"images_per_s", "images/s", Show::count},
                                     {"peak_memory_mib", "peak MiB", Show::count}};
  std::copy(shown.begin(), shown.end(), table.columns.begin() + 6);
  return table;
}

Table idle_table(ResultsReader& reader) {
  Table table = reader.query(R"(
      SELECT reason, count(DISTINCT rank) AS ranks, total(seconds) AS idle_s
      FROM device_idle GROUP BY reason ORDER BY idle_s DESC)");
  table.columns = {{"reason", "idle for"}, {"ranks", "ranks"}, {"idle_s", "time", Show::duration}};
  return table;
}

}  // namespace ranksweep::results
