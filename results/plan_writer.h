#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "results/provenance.h"
#include "sweeps/plan.h"

namespace SQLite {
class Database;
}

namespace ranksweep::results {

struct WrittenPlan {
  std::int64_t sweep = 0;       // its row
  std::int64_t invocation = 0;  // the row of this run of it
};

// Makes the database's sweep the one that `plan` describes: new trials are pending, known ones keep
// their state and epochs, those no longer planned leave the plan and stay in the file. Works in the
// caller's transaction. Throws StoreError when the database holds another sweep, or this one on
// other data; SQLite's exceptions pass through.
WrittenPlan write_plan(SQLite::Database& database, const std::filesystem::path& path,
                       const sweeps::Plan& plan, const Provenance& provenance,
                       const std::string& now);

// Makes the one view whose columns depend on the sweep: `trial_wide`, with a column for each of
// these parameters.
void write_trial_wide(SQLite::Database& database, const std::vector<std::string>& swept);

}  // namespace ranksweep::results
