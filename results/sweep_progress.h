#pragma once

#include <cstdint>
#include <filesystem>

namespace ranksweep::results {

// How far the sweep of a database is.
struct SweepProgress {
  std::int64_t invocations = 0;  // begun ever
  std::int64_t open_trials = 0;  // of the plan: pending or running
  std::int64_t failed_trials = 0;
  std::int64_t work_done = 0;  // grows with each epoch and each trial that ends

  bool complete() const { return invocations > 0 && open_trials == 0; }
};

// All zero where there is no database yet. Throws StoreError.
SweepProgress read_progress(const std::filesystem::path& database);

}  // namespace ranksweep::results
