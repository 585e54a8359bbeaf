#pragma once

#include <filesystem>

#include "results/results_reader.h"

// A database in the forms of other programs. Those that make `folder`, which must be empty if it is
// there, throw StoreError when it is not or cannot be written.
namespace ranksweep::results {

// Every table and view as NAME.csv.
void export_csv(ResultsReader& reader, const std::filesystem::path& folder);

// A run of TensorBoard for each trial that has epochs: its losses and accuracies by epoch, its best
// epoch's under `best/`, and its swept parameters for the HParams tab.
void export_tensorboard(ResultsReader& reader, const std::filesystem::path& folder);

// What every rank did when, for Perfetto (https://ui.perfetto.dev) and Chrome: a process for each
// host, a thread for each rank, and on it attempts, the epochs in them, and the pauses between them
// with their reasons. Google's Trace Event Format, version of 2016. Overwrites no file; throws
// StoreError.
void export_trace(ResultsReader& reader, const std::filesystem::path& file);

// Makes an empty folder; for the two that need one.
void make_export_folder(const std::filesystem::path& folder);

}  // namespace ranksweep::results
