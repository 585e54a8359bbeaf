#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/external_trainer.h"
#include "sweeps/sweep_spec.h"
#include "sweeps/trial.h"

namespace ranksweep::sweeps {

// What a sweep file says, whoever trains its trials.
struct SweepFile {
  SweepSpec sweep;  // without `trials`; `data.path` is empty where an external trainer has no data
  std::optional<ExternalTrainer> trainer;  // none: the built-in one
  std::vector<Trial> trials;               // in the order of the grid; no two equal
};

// As parse_sweep and load_sweep, which refuse a sweep with an external trainer.
SweepFile parse_sweep_file(const std::string& source, const std::filesystem::path& file);
SweepFile load_sweep_file(const std::filesystem::path& file);

}  // namespace ranksweep::sweeps
