#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "results/journal.h"

namespace ranksweep::cli {

// What `run` is told, and `launch` passes on to it.
struct RunOptions {
  std::filesystem::path sweep_file;
  std::filesystem::path database;
  std::string device = "auto";
  std::filesystem::path scratch;     // a folder on each node for its cache; empty: the usual one
  std::filesystem::path publish;     // a copy for readers; empty: none
  std::string journal = "rollback";  // or wal, auto
  int trials_per_gpu = 1;            // ranks that may share a GPU
  bool small = false;                // Extent::small
  // Where rank 0 tells its exit code, since launchers may not pass it on; empty: nowhere.
  std::filesystem::path exit_code_file;
};

void add_run_options(CLI::App& command, RunOptions& options);
// Throws CommandError for a write-ahead log where none works.
results::Journal choose_journal(const RunOptions& options);
// The command that starts `ranks` ranks of such a run under MPI.
std::vector<std::string> launch_command(int ranks, const std::vector<std::string>& launcher_options,
                                        const RunOptions& options);

}  // namespace ranksweep::cli
