#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "results/sqlite_store.h"
#include "results/table.h"
#include "tools/cli/plan_share.h"
#include "tools/cli/test_split.h"

// The shares of a sweep that run apart, each with a database of its own: smile.shares/2-of-4.db.
// Whichever is done last gathers them into smile.db. Until then that is what it was when they
// began: no file, or the sweep as it was before its plan grew.
namespace ranksweep::cli {

// --share I/N, for a command that is about one share.
CLI::Option* add_share_option(CLI::App& command, std::optional<Share>& share,
                              const std::string& description);

std::filesystem::path share_folder(const std::filesystem::path& database);
std::filesystem::path share_database(const std::filesystem::path& database, const Share& share);

// What a run trains, and the database that it writes.
struct Task {
  sweeps::Plan plan;
  std::filesystem::path database;
};

// The share's, dealt from what has not ended in `database`; the whole sweep and `database` itself
// when nothing is left. Throws CommandError when the sweep has been dealt into another number of
// shares before, StoreError.
Task task_of_share(const sweeps::Plan& plan, const std::filesystem::path& database,
                   const Share& share);

// How far each share is that has not been gathered; no rows where there is none.
results::Table share_table(const std::filesystem::path& database);

// Whether the share has nothing left to train.
bool share_is_done(const std::filesystem::path& database, const Share& share);

// Removes the shares if everything in the plan has ended in `database`. False: something has not.
bool remove_gathered_shares(const sweeps::Plan& plan, const std::filesystem::path& database);

// What is left to do when a share is done: nothing while others are not, else to gather them, and
// to evaluate the test split as TestSplit does.
class Gathering : public FinalWork {
 public:
  struct Options {
    Share share;
    sweeps::Plan plan;  // the whole
    results::Provenance provenance;
    TestSplitOptions test;  // its database is the sweep's
  };
  explicit Gathering(Options options);

  bool done() const override { return test_ ? test_->done() : left_to_another_; }
  // Throws StoreError besides, and changes nothing, when the shares cannot be merged.
  void advance() override;

 private:
  bool merge();

  Options options_;
  bool left_to_another_ = false;
  std::unique_ptr<results::SqliteStore> store_;
  std::optional<TestSplit> test_;
};

}  // namespace ranksweep::cli
