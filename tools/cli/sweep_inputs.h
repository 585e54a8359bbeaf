#pragma once

#include <filesystem>
#include <string>

#include "sweeps/plan.h"
#include "sweeps/sweep_spec.h"
#include "worker/data/data_set.h"

namespace ranksweep::cli {

// Everything that a sweep file stands for: what `check` shows and `run` runs.
struct SweepInputs {
  sweeps::SweepSpec sweep;
  worker::DataSet data;
  std::string data_fingerprint;
  std::vector<std::string> leakage;  // worker::find_leakage(): a sentence each
  sweeps::Plan plan;                 // with costs
  double multiply_adds = 0;          // of the whole plan
  double checkpoint_bytes = 0;
};

// `small`: the three smallest trials, for four epochs at most, to try things out with. A
// trial is not given up however often its trainers are killed.
enum class Extent { whole, small };

// Reads the sweep and its data. Leakage is among the sweep's warnings, or an error, as the sweep
// has it. Throws sweeps::SweepError, worker::DataError, CommandError.
SweepInputs load_inputs(const std::filesystem::path& sweep_file,
                        const std::filesystem::path& trainer, Extent extent = Extent::whole);

}  // namespace ranksweep::cli
