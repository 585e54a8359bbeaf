#include "results/merge.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "results/database.h"
#include "results/new_database.h"
#include "results/plan_writer.h"
#include "results/row_copier.h"
#include "results/sweep_store.h"
#include "sweeps/plan.h"

namespace ranksweep::results {
namespace {

constexpr std::chrono::milliseconds kBusyTimeout{20'000};

struct PlanEntry {
  std::string identity;
  std::string description;
  double cost = 0;
};

// A database to be merged, as it is at one moment: a sweep may go on writing to it.
struct Source {
  std::filesystem::path path;
  std::unique_ptr<SQLite::Database> database;
  std::string name, source, fingerprint, created_at;
  std::vector<std::string> swept;
  std::vector<PlanEntry> plan;
};

Source open_source(const std::filesystem::path& path) {
  Source source{.path = path};
  const auto database = open_to_copy(path, kBusyTimeout);
  with_store_errors(path, [&] {
    source.database = copy_into_memory(*database);
    SQLite::Statement sweep(*source.database,
                            "SELECT name, source, data_fingerprint, created_at FROM sweep");
    if (!sweep.executeStep()) {
      throw StoreError(fmt::format("{}: holds no sweep; leave it out", path.string()));
    }
    source.name = sweep.getColumn(0).getString();
    source.source = sweep.getColumn(1).getString();
    source.fingerprint = sweep.getColumn(2).getString();
    source.created_at = sweep.getColumn(3).getString();
    SQLite::Statement swept(*source.database, "SELECT name FROM swept_parameter ORDER BY position");
    while (swept.executeStep()) source.swept.push_back(swept.getColumn(0).getString());
    SQLite::Statement plan(*source.database,
                           "SELECT identity, description, cost FROM sweep_trial "
                           "JOIN trial ON trial.id = sweep_trial.trial ORDER BY position");
    while (plan.executeStep()) {
      source.plan.push_back({plan.getColumn(0).getString(), plan.getColumn(1).getString(),
                             plan.getColumn(2).getDouble()});
    }
  });
  return source;
}

void refuse_other_data(const std::vector<Source>& sources) {
  for (const Source& source : sources) {
    if (source.fingerprint == sources[0].fingerprint) continue;
    throw StoreError(
        fmt::format("{} and {}: their sweeps saw different images (fingerprints {:.8} and {:.8}), "
                    "so that their "
                    "losses cannot be ranked together; merge databases of the same data",
                    sources[0].path.string(), source.path.string(), sources[0].fingerprint,
                    source.fingerprint));
  }
}

// What a source knows of a trial.
struct Copy {
  std::size_t source = 0;
  std::int64_t row = 0;
  std::string state;
  std::int64_t epochs = 0;
};

bool has_ended(const Copy& copy) { return copy.state == "finished" || copy.state == "diverged"; }

// How far it got: larger is further.
std::pair<int, std::int64_t> progress(const Copy& copy) {
  constexpr std::array<const char*, 3> kStates = {"pending", "running", "failed"};
  const auto place = std::find(kStates.begin(), kStates.end(), copy.state) - kStates.begin();
  return {static_cast<int>(place), copy.epochs};  // an end is further than all of them
}

// The figures of a trial that do not depend on how fast it was trained.
std::vector<std::string> figures(const Source& source, const Copy& copy) {
  std::vector<std::string> rows = {copy.state};
  SQLite::Statement query(*source.database, R"(
      SELECT epoch || quote(train_loss) || quote(train_accuracy) || quote(val_loss) ||
        quote(val_accuracy)
      FROM epoch WHERE trial = ? ORDER BY epoch)");
  query.bind(1, copy.row);
  while (query.executeStep()) rows.push_back(query.getColumn(0).getString());
  return rows;
}

// By identity, all copies of each trial, the one to be taken over first.
using Copies = std::map<std::string, std::vector<Copy>>;

Copies find_copies(const std::vector<Source>& sources) {
  Copies copies;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    SQLite::Statement query(*sources[i].database, R"(
        SELECT identity, id, state, (SELECT count(*) FROM epoch WHERE epoch.trial = trial.id)
        FROM trial)");
    while (query.executeStep()) {
      copies[query.getColumn(0).getString()].push_back({i, query.getColumn(1).getInt64(),
                                                        query.getColumn(2).getString(),
                                                        query.getColumn(3).getInt64()});
    }
  }
  for (auto& [identity, of_trial] : copies) {
    std::stable_sort(of_trial.begin(), of_trial.end(),
                     [](const Copy& a, const Copy& b) { return progress(a) > progress(b); });
  }
  return copies;
}

void refuse_contradictions(const std::vector<Source>& sources, const Copies& copies) {
  for (const auto& [identity, of_trial] : copies) {
    for (const Copy& copy : of_trial) {
      const Copy& best = of_trial.front();
      if (&copy == &best || !has_ended(copy)) continue;
      if (figures(sources[copy.source], copy) == figures(sources[best.source], best)) continue;
      const std::string first = sources[best.source].path.string();
      const std::string second = sources[copy.source].path.string();
      throw StoreError(
          fmt::format("trial {:.8} ended in {} and in {} with different figures; look "
                      "at them with `ranksweep compare {} {}`, and leave one out",
                      identity, first, second, first, second));
    }
  }
}

std::string joined_names(const std::vector<Source>& sources) {
  std::vector<std::string> names;
  for (const Source& source : sources) {
    if (std::find(names.begin(), names.end(), source.name) == names.end()) {
      names.push_back(source.name);
    }
  }
  return fmt::format("{}", fmt::join(names, " + "));
}

// The sweep files, one after the other where they differ, as YAML has several documents in one.
std::string joined_sources(const std::vector<Source>& sources) {
  std::string text = sources[0].source;
  std::set<std::string> seen = {text};
  for (const Source& source : sources) {
    if (!seen.insert(source.source).second) continue;
    text += fmt::format("{}---\n{}", text.ends_with('\n') ? "" : "\n", source.source);
  }
  return text;
}

// Writes all of it in the caller's transaction.
class Merger {
 public:
  Merger(SQLite::Database& database, const std::vector<Source>& sources, const Copies& copies)
      : database_(database), sources_(sources), copies_(copies) {
    for (const Source& source : sources) {
      for (const PlanEntry& entry : source.plan) give_row(entry.identity);
    }
    for (const auto& [identity, of_trial] : copies) give_row(identity);
  }

  void merge() {
    database_.exec("PRAGMA defer_foreign_keys = ON");  // rows come before those they refer to
    for (std::size_t i = 0; i < sources_.size(); ++i) copy_rows(i);
    name_sweep();
    write_swept_parameters();
    write_plan();
    write_trial_wide(database_, swept_);
  }

 private:
  void give_row(const std::string& identity) {
    row_of_.emplace(identity, static_cast<std::int64_t>(row_of_.size() + 1));
  }

  void copy_rows(std::size_t source) {
    std::map<std::int64_t, TrialTarget> trials;
    for (const auto& [identity, of_trial] : copies_) {
      for (const Copy& copy : of_trial) {
        if (copy.source != source) continue;
        trials[copy.row] = {row_of_.at(identity), &copy == &of_trial.front()};
      }
    }
    RowCopier copier(*sources_[source].database, database_, std::move(trials));
    for (const std::string& table : table_names(database_)) {
      if (table == "sweep_trial" || table == "swept_parameter") continue;
      if (table != "sweep" || source == 0) copier.copy(table);
    }
  }

  void name_sweep() {
    std::string created_at = sources_[0].created_at;
    for (const Source& source : sources_) created_at = std::min(created_at, source.created_at);
    SQLite::Statement update(database_, "UPDATE sweep SET name = ?, source = ?, created_at = ?");
    update.bind(1, joined_names(sources_));
    update.bind(2, joined_sources(sources_));
    update.bind(3, created_at);
    update.exec();
  }

  bool swept_alike() const {
    return std::all_of(sources_.begin(), sources_.end(),
                       [&](const Source& source) { return source.swept == sources_[0].swept; });
  }

  // What any of the sweeps varies, in its order, and what differs from one to the other.
  void write_swept_parameters() {
    for (const Source& source : sources_) {
      for (const std::string& name : source.swept) add_swept(name);
    }
    if (!swept_alike()) {
      SQLite::Statement varied(
          database_,
          "SELECT name FROM parameter WHERE name != 'weights_hash' "
          "GROUP BY name HAVING count(DISTINCT quote(value)) > 1 ORDER BY name");
      while (varied.executeStep()) add_swept(varied.getColumn(0).getString());
    }
    SQLite::Statement insert(database_, "INSERT INTO swept_parameter VALUES (1, ?, ?)");
    for (std::size_t i = 0; i < swept_.size(); ++i) {
      insert.reset();
      insert.bind(1, static_cast<std::int64_t>(i + 1));
      insert.bind(2, swept_[i]);
      insert.exec();
    }
  }

  void add_swept(const std::string& name) {
    if (std::find(swept_.begin(), swept_.end(), name) == swept_.end()) swept_.push_back(name);
  }

  void write_plan() {
    const bool describe_anew = !swept_alike();
    std::set<std::string> planned;
    SQLite::Statement insert(database_, "INSERT INTO sweep_trial VALUES (1, ?, ?, ?, ?)");
    for (const Source& source : sources_) {
      for (const PlanEntry& entry : source.plan) {
        if (!planned.insert(entry.identity).second) continue;
        const std::int64_t row = row_of_.at(entry.identity);
        insert.reset();
        insert.bind(1, static_cast<std::int64_t>(planned.size()));
        insert.bind(2, row);
        insert.bind(3, describe_anew ? description(row, entry) : entry.description);
        insert.bind(4, entry.cost);
        insert.exec();
      }
    }
  }

  // An imported trial has no specification, and keeps the description that it has.
  std::string description(std::int64_t row, const PlanEntry& entry) {
    SQLite::Statement query(database_, "SELECT spec FROM trial WHERE id = ?");
    query.bind(1, row);
    query.executeStep();
    try {
      const auto spec = nlohmann::json::parse(query.getColumn(0).getString());
      return sweeps::describe(sweeps::trial_spec_from_json(spec), swept_);
    } catch (const std::invalid_argument&) {
      return entry.description;
    }
  }

  SQLite::Database& database_;
  const std::vector<Source>& sources_;
  const Copies& copies_;
  std::map<std::string, std::int64_t> row_of_;  // by identity, in the merged database
  std::vector<std::string> swept_;
};

std::string summary(std::size_t sources, const Copies& copies) {
  std::size_t shared = 0;
  std::map<std::string, int> states;
  for (const auto& [identity, of_trial] : copies) {
    if (of_trial.size() > 1) ++shared;
    ++states[of_trial.front().state];
  }
  std::vector<std::string> parts;
  for (const auto& [state, count] : states) parts.push_back(fmt::format("{} {}", count, state));
  return fmt::format("{} trials of {} database{}, {} of them in more than one: {}\n", copies.size(),
                     sources, sources == 1 ? "" : "s", shared, fmt::join(parts, ", "));
}

}  // namespace

std::string merge_databases(const std::vector<std::filesystem::path>& paths,
                            const std::filesystem::path& merged) {
  NewDatabase made(merged);
  std::vector<Source> sources;
  for (const std::filesystem::path& path : paths) sources.push_back(open_source(path));
  refuse_other_data(sources);
  Copies copies;
  with_store_errors(merged, [&] {
    copies = find_copies(sources);
    refuse_contradictions(sources, copies);
    SQLite::Transaction transaction(made.database());
    Merger(made.database(), sources, copies).merge();
    transaction.commit();
  });
  made.publish();
  return summary(sources.size(), copies);
}

}  // namespace ranksweep::results
