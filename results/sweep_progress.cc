#include "results/sweep_progress.h"

#include <chrono>

#include <SQLiteCpp/SQLiteCpp.h>

#include "results/database.h"

namespace ranksweep::results {
namespace {

constexpr std::chrono::seconds kBusyTimeout{20};

}  // namespace

SweepProgress read_progress(const std::filesystem::path& path) {
  SweepProgress progress;
  if (!std::filesystem::exists(path)) {
    return progress;
  }
  const auto database = open_for_reading(path, kBusyTimeout);
  with_store_errors(path, [&] {
    SQLite::Statement query(*database, R"(
        SELECT (SELECT count(*) FROM invocation),
          count(*) FILTER (WHERE state IN ('pending', 'running')),
          count(*) FILTER (WHERE state = 'failed'),
          (SELECT count(*) FROM epoch) + count(*) FILTER (WHERE state NOT IN ('pending', 'running'))
        FROM sweep_trial JOIN trial ON trial.id = sweep_trial.trial)");
    query.executeStep();
    progress = {.invocations = query.getColumn(0).getInt64(),
                .open_trials = query.getColumn(1).getInt64(),
                .failed_trials = query.getColumn(2).getInt64(),
                .work_done = query.getColumn(3).getInt64()};
  });
  return progress;
}

}  // namespace ranksweep::results
