#pragma once

#include <filesystem>

#include "results/results_reader.h"

// A database in the forms of other programs. Both make `folder`, which must be empty if it is
// there, and throw StoreError when it is not or cannot be written.
namespace ranksweep::results {

// Every table and view as NAME.csv.
void export_csv(ResultsReader& reader, const std::filesystem::path& folder);

// A run of TensorBoard for each trial that has epochs: its losses and accuracies by epoch, its best
// epoch's under `best/`, and its swept parameters for the HParams tab.
void export_tensorboard(ResultsReader& reader, const std::filesystem::path& folder);

// Makes an empty folder; for the two above.
void make_export_folder(const std::filesystem::path& folder);

}  // namespace ranksweep::results
