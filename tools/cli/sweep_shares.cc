#include "tools/cli/sweep_shares.h"

#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/merge.h"
#include "results/results_reader.h"
#include "results/sweep_progress.h"
#include "results/writer_lock.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

namespace fs = std::filesystem;

// "2-of-4.db" as a share.
std::optional<Share> share_in(const fs::path& file) {
  std::string name = file.stem().string();
  const auto of = name.find("-of-");
  if (file.extension() != ".db" || of == std::string::npos) return std::nullopt;
  return parse_share(name.replace(of, 4, "/"));
}

// Of the share files in the folder, into how many the sweep was dealt. Nothing without any.
std::optional<int> dealt_into(const fs::path& database) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(share_folder(database), error)) {
    if (const auto share = share_in(entry.path())) return share->of;
  }
  return std::nullopt;
}

// The trials of `plan` that have ended in none of `databases`, which need not be there.
sweeps::Plan what_is_left(const sweeps::Plan& plan, const std::vector<fs::path>& databases) {
  std::set<std::string> ended;
  for (const fs::path& database : databases) {
    if (!fs::exists(database)) continue;
    results::ResultsReader reader(database);
    const auto table = reader.query(
        "SELECT identity FROM trial WHERE state IN ('finished', 'diverged', 'failed')");
    for (const auto& row : table.rows) ended.insert(std::get<std::string>(row.at(0)));
  }
  sweeps::Plan left = plan;
  std::erase_if(left.trials,
                [&](const sweeps::PlannedTrial& trial) { return ended.contains(trial.id.hex()); });
  return left;
}

std::vector<Share> all_shares(int of) {
  std::vector<Share> shares;
  for (int number = 1; number <= of; ++number) shares.push_back({.number = number, .of = of});
  return shares;
}

// The sweep's own, where it is there, and those of all shares.
std::vector<fs::path> all_databases(const fs::path& database, int of) {
  std::vector<fs::path> all;
  if (fs::exists(database)) all.push_back(database);
  for (const Share& share : all_shares(of)) all.push_back(share_database(database, share));
  return all;
}

// What keeps the shares from being gathered, a few words each.
std::vector<std::string> what_is_missing(const sweeps::Plan& plan, const fs::path& database,
                                         int of) {
  std::vector<std::string> missing;
  for (const Share& share : all_shares(of)) {
    const auto progress = results::read_progress(share_database(database, share));
    if (progress.complete()) continue;
    missing.push_back(progress.invocations == 0
                          ? fmt::format("{} has not begun", share.text())
                          : fmt::format("{} has {} to go", share.text(),
                                        count_text(progress.open_trials, "trial")));
  }
  const auto left = what_is_left(plan, all_databases(database, of)).trials.size();
  if (missing.empty() && left > 0) {
    missing.push_back(fmt::format("{} came into the sweep file meanwhile; run the shares again",
                                  count_text(static_cast<std::int64_t>(left), "trial")));
  }
  return missing;
}

// SQLite would apply what stands in the old file's journal to the one that takes its name.
void refuse_unfinished_business(const fs::path& database) {
  for (const char* suffix : {"-wal", "-journal"}) {
    if (fs::exists(database.string() + suffix)) {
      throw CommandError(
          ExitCode::unfit,
          fmt::format("{0}: its journal {0}{1} is there, so that it cannot be replaced: another "
                      "program has it open, or was killed. Close that, or open and close the "
                      "database in sqlite3; then run the share again",
                      database.string(), suffix));
    }
  }
}

}  // namespace

CLI::Option* add_share_option(CLI::App& command, std::optional<Share>& share,
                              const std::string& description) {
  return command.add_option_function<std::string>(
      "--share",
      [&share](const std::string& text) {
        share = parse_share(text);
        if (!share) {
          throw CLI::ValidationError(
              "--share", fmt::format("{}: write I/N for the I-th of N shares, such as 2/4", text));
        }
      },
      description);
}

fs::path share_folder(const fs::path& database) {
  return fs::absolute(database).replace_extension(".shares");
}

fs::path share_database(const fs::path& database, const Share& share) {
  return share_folder(database) / fmt::format("{}-of-{}.db", share.number, share.of);
}

Task task_of_share(const sweeps::Plan& plan, const fs::path& database, const Share& share) {
  if (const auto before = dealt_into(database); before && *before != share.of) {
    const std::string folder = share_folder(database).string();
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("{}: the sweep has been dealt into {} before; go on with so many, or "
                    "gather them by hand: ranksweep merge {}/*.db -o NEW.db",
                    folder, count_text(*before, "share"), folder));
  }
  const sweeps::Plan left = what_is_left(plan, {database});
  if (left.trials.empty()) return {.plan = plan, .database = database};
  std::error_code error;
  fs::create_directories(share_folder(database), error);
  if (error) {
    throw CommandError(
        ExitCode::unfit,
        fmt::format("{}: cannot be made: {}", share_folder(database).string(), error.message()));
  }
  return {.plan = share_of(left, share), .database = share_database(database, share)};
}

results::Table share_table(const fs::path& database) {
  results::Table table{.columns = {{"share", "share"}}, .rows = {}};
  for (const char* state : {"pending", "running", "finished", "diverged", "failed"}) {
    table.columns.push_back({state, state, results::Show::count});
  }
  const auto of = dealt_into(database);
  if (!of) return table;
  for (const Share& share : all_shares(*of)) {
    std::vector<results::Cell> row = {share.text()};
    const fs::path file = share_database(database, share);
    if (fs::exists(file)) {
      results::ResultsReader reader(file);
      const auto counts = reader.query(
          "SELECT count(*) FILTER (WHERE state = 'pending'),"
          " count(*) FILTER (WHERE state = 'running'),"
          " count(*) FILTER (WHERE state = 'finished'),"
          " count(*) FILTER (WHERE state = 'diverged'),"
          " count(*) FILTER (WHERE state = 'failed') "
          "FROM sweep_trial JOIN trial ON trial.id = sweep_trial.trial");
      row.insert(row.end(), counts.rows.at(0).begin(), counts.rows.at(0).end());
    } else {
      row.resize(table.columns.size());
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

bool share_is_done(const fs::path& database, const Share& share) {
  const fs::path file = share_database(database, share);
  return results::read_progress(fs::exists(file) ? file : database).complete();
}

bool remove_gathered_shares(const sweeps::Plan& plan, const fs::path& database) {
  if (!what_is_left(plan, {database}).trials.empty()) return false;
  std::error_code error;
  fs::remove_all(share_folder(database), error);
  if (error) {
    fmt::print(stderr, "warning: {} is gathered and could not be removed: {}\n",
               share_folder(database).string(), error.message());
  }
  return true;
}

Gathering::Gathering(Options options) : options_(std::move(options)) {}

// False: others are not done, or one of them does it.
bool Gathering::merge() {
  const fs::path& database = options_.test.database;
  std::optional<results::WriterLock> lock;  // one share gathers, whoever comes first
  try {
    lock.emplace(share_folder(database));
  } catch (const results::StoreUnavailable&) {
    throw;
  } catch (const results::StoreError&) {
    fmt::print("another share gathers all of them\n");
    return false;
  }
  if (what_is_left(options_.plan, {database}).trials.empty()) {
    fmt::print("another share has gathered all of them\n");
    return false;
  }
  const auto missing = what_is_missing(options_.plan, database, options_.share.of);
  if (!missing.empty()) {
    fmt::print("{} will be made when all shares are done: {}\n", database.string(),
               fmt::join(missing, ", "));
    return false;
  }
  const results::WriterLock nobody_else(database);
  const fs::path merged = share_folder(database) / "all.db";
  fs::remove(merged);  // of one that was killed meanwhile
  fmt::print("gathered: {}",
             results::merge_databases(all_databases(database, options_.share.of), merged));
  refuse_unfinished_business(database);
  fs::rename(merged, database);
  return true;
}

void Gathering::advance() {
  if (test_) return test_->advance();
  const fs::path own = share_database(options_.test.database, options_.share);
  const bool gathered = !fs::exists(own);                            // by another, a moment ago
  if (!gathered && !results::read_progress(own).complete()) return;  // commits wait for the disk
  left_to_another_ = gathered || !merge();
  if (left_to_another_) return;
  // As a run of the whole sweep leaves it: the plan in its own order.
  store_ = results::SqliteStore::open_for_sweep(options_.test.database, options_.plan,
                                                options_.provenance);
  test_.emplace(options_.test, *store_);
}

}  // namespace ranksweep::cli
