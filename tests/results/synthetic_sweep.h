#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/provenance.h"
#include "results/sweep_store.h"
#include "results/utc_time.h"
#include "sweeps/plan.h"

// Databases that look like those of real sweeps, made in milliseconds and always the same.
namespace ranksweep::results::testing {

struct SyntheticSweep {
  std::string name = "synthetic";
  int trials = 40;
  int epochs = 30;  // at most, for each trial
  int ranks = 4;
  bool predictions = true;  // of single images, by trials that ended well
  bool complete = false;    // leaves no trial running or pending
  unsigned seed = 1;
  std::string user_text;  // appended to every text that comes from a user or a machine
};

// The plan over architecture, learning rate, augmentation, training and, for more than 80 trials,
// seed. Trials alternate over the grid, so that a short plan has some of everything.
sweeps::Plan synthetic_plan(const SyntheticSweep& sweep);
Provenance synthetic_provenance(const SyntheticSweep& sweep);

// The plan's trials trained, with collapsed, diverged, failed and retried ones among them. The
// times are what the store's clock has to give, in the order of its calls.
struct SyntheticHistory {
  std::vector<Change> changes;
  std::vector<UtcTime> times;
};
SyntheticHistory synthetic_history(const sweeps::Plan& plan, const SyntheticSweep& sweep);

// 2025-03-01T08:00:00Z
UtcTime synthetic_begin();

// The whole sweep in a new database.
void write_synthetic_sweep(const std::filesystem::path& path, const SyntheticSweep& sweep = {});

}  // namespace ranksweep::results::testing
