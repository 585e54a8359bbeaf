#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "results/journal.h"
#include "results/provenance.h"
#include "results/sweep_store.h"
#include "results/utc_time.h"
#include "sweeps/plan.h"

namespace ranksweep::results {

struct StoreOptions {
  Clock clock = [] { return std::chrono::system_clock::now(); };  // begins and ends of attempts
  std::chrono::milliseconds busy_timeout{20'000};  // how long another program may hold up opening
  std::chrono::milliseconds commit_timeout{100};   // and a commit, which can be tried again
  Journal journal = Journal::rollback;
};

// The sweep's store in one SQLite file, the schema of which docs/results.md describes. Belongs to
// one thread.
class SqliteStore final : public SweepStore {
 public:
  // Creates the database or goes on with it, and leaves the whole plan in it. New trials of a plan
  // that has changed are pending; trials that are no longer planned stay in the file, outside the
  // plan. Throws StoreError, and changes nothing, when the file is another sweep's or another
  // program's, damaged, of a newer schema, open in another writer, or cannot be written, or when
  // the sweep began on data with another fingerprint.
  static std::unique_ptr<SqliteStore> open_for_sweep(const std::filesystem::path& path,
                                                     const sweeps::Plan& plan,
                                                     const Provenance& provenance,
                                                     StoreOptions options = {});
  ~SqliteStore() override;

  std::vector<StoredTrial> load_trials() override;
  sweeps::AttemptId next_attempt() override;
  // Of this sweep.
  std::vector<StepMeasured> measured_steps();
  // A number that is not finite is stored as NULL, and read back as NaN.
  void commit(std::span<const Change> changes) override;

 private:
  class Connection;
  explicit SqliteStore(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace ranksweep::results
