#pragma once

#include <filesystem>

namespace ranksweep::worker {

// Writes what is needed to use the network of a trial's checkpoint without ranksweep into `folder`,
// which exists: model.pt (see to_torchscript()), weights.safetensors (parameters and buffers by
// name), classes.txt (a name a line, in the order of the probabilities). Throws SafetensorsError
// with the file's name when the checkpoint cannot be used, std::system_error or c10::Error when a
// file cannot be written.
void export_model(const std::filesystem::path& checkpoint, const std::filesystem::path& folder);

}  // namespace ranksweep::worker
