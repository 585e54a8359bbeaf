#pragma once

#include <filesystem>
#include <string>

#include "sweeps/plan.h"
#include "sweeps/sweep_file.h"
#include "worker/data/data_set.h"

namespace ranksweep::cli {

// Everything that a sweep file stands for: what `check` shows and `run` runs.
struct SweepInputs {
  sweeps::SweepFile file;
  worker::DataSet data;              // empty where an external trainer has none
  std::vector<std::string> leakage;  // worker::find_leakage(): a sentence each
  sweeps::Plan plan;            // with costs: multiply-adds, or the epochs of an external trainer
  double checkpoint_bytes = 0;  // not known of an external trainer

  bool has_data() const { return !file.sweep.data.path.empty(); }
  double work() const;  // of the whole plan, in the unit of its costs
};

// ", 400 + 100 images of neutral, smiling, trained by `python3 train.py`": what the trials are
// about, after how many they are.
std::string subject_text(const SweepInputs& inputs);

// `small`: the three smallest trials, for four epochs at most, to try things out with. A
// trial is not given up however often its trainers are killed.
enum class Extent { whole, small };

// Reads the sweep, its data and the inputs of an external trainer. Leakage is among the sweep's
// warnings, or an error, as the sweep has it. Costs are asked of `trainer`, the built-in one.
// Throws sweeps::SweepError, worker::DataError, CommandError.
SweepInputs load_inputs(const std::filesystem::path& sweep_file,
                        const std::filesystem::path& trainer, Extent extent = Extent::whole);

}  // namespace ranksweep::cli
