#pragma once

#include <filesystem>

#include "worker/models/model.h"

namespace ranksweep::worker {

// Fills the base of `model` from a safetensors file with the reference's names: one that
// tools/convert_weights.py made, or a checkpoint of an earlier trial. The classifier in the file is
// passed over. Throws SafetensorsError that lists what is missing, surplus, or of another shape.
void load_base_weights(Model& model, const Architecture& architecture,
                       const std::filesystem::path& path);

}  // namespace ranksweep::worker
