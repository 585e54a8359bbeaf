#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sweeps/trial_spec.h"

namespace ranksweep::sweeps {

// Where the images are. Exactly one of a folder of classes, a folder to be split, or a manifest.
struct DataSpec {
  std::filesystem::path path;  // absolute: a folder, or a CSV manifest (path,label,group,split)
  std::optional<double> validation_fraction;  // splits a folder without train/ and val/
  std::int64_t split_seed = 0;
  enum class OnBadFile { fail, skip } on_bad_file = OnBadFile::fail;
  enum class OnLeakage { warn, fail } on_leakage = OnLeakage::warn;
};

nlohmann::json to_json(const DataSpec&);
// Other members of the object are not looked at. Throws std::invalid_argument.
DataSpec data_spec_from_json(const nlohmann::json&);

// How trials are run, which decides nothing about what they compute.
struct Execution {
  std::optional<int> threads;       // of each trainer; none: its share of the node's cores
  int max_attempts = 3;             // a trial that failed so often is given up
  double checkpoint_interval = 60;  // seconds between resume states inside an attempt
  // Seconds without a report after which a trainer is lost; none: from the epochs it trained.
  std::optional<double> silence_limit;
  double storage_patience = 600;  // seconds that a database which cannot be written is waited for
  double lease = 30;              // seconds without a heartbeat after which a rank is lost
  // A trial that found too little memory is tried again as any other that failed, or with twice as
  // many parts of each batch, whose gradients are added up.
  enum class OnOutOfMemory { fail, accumulate } on_out_of_memory = OnOutOfMemory::fail;
  bool cuda_graphs = false;  // steps on a GPU are recorded once and replayed
};

// A sweep file as it was read: checked, defaults filled in, the grid expanded.
struct SweepSpec {
  std::string name;
  std::filesystem::path file;  // as the user gave it, for messages
  std::string source;          // the YAML text
  DataSpec data;
  Execution execution;
  std::vector<TrialSpec> trials;      // in the order of the grid; no two equal
  std::vector<std::string> swept;     // names of parameters with more than one value
  std::vector<std::string> warnings;  // what a user should know and need not mend
};

// One thing wrong with a sweep file. Line and column count from 1, columns in bytes as compilers
// count them; 0 where there is none.
struct Diagnostic {
  int line = 0;
  int column = 0;
  std::string message;  // what was found, what is allowed, the nearest right name
};

// "FILE:LINE:COLUMN: MESSAGE", or "FILE: MESSAGE" without a line.
std::string to_string(const Diagnostic&, const std::filesystem::path& file);

void sort_by_place(std::vector<Diagnostic>&);

// All that is wrong with a sweep file, by place. what() has one "FILE:LINE:COLUMN: MESSAGE" a line.
class SweepError : public std::runtime_error {
 public:
  SweepError(const std::filesystem::path& file, std::vector<Diagnostic> diagnostics);
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

// Reads a sweep. Relative paths in it start from the file's folder. Throws SweepError with every
// mistake that can be found, not only the first.
SweepSpec parse_sweep(const std::string& source, const std::filesystem::path& file);
SweepSpec load_sweep(const std::filesystem::path& file);

}  // namespace ranksweep::sweeps
