#pragma once

#include <filesystem>
#include <string>

#include "results/sqlite_store.h"
#include "sweeps/plan.h"

namespace ranksweep::cli {

// Where training steps are timed.
struct TimingPlace {
  std::filesystem::path trainer;
  std::string device;
  int threads = 0;
};

// The plan with every `precision: auto` and `memory_format: auto` settled; identities stay those of
// the sweep file. Whatever of it takes the least time a step is chosen, float32 and channels last
// unless another is quicker by a tenth. Steps that the store has no times of are timed at `place`,
// told to the user, and committed: trials must not be dispatched before. Nothing is timed that
// would cost more than a hundredth of the steps planned; the trainer's defaults hold then. What
// cannot be timed is warned of. Throws StoreError, CommandError on a signal to stop.
sweeps::Plan settle_automatic_choices(const sweeps::Plan& plan, int train_images,
                                      const TimingPlace& place, results::SqliteStore& store);

}  // namespace ranksweep::cli
