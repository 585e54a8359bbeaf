#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "worker/models/safetensors.h"

namespace ranksweep::worker {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;
using Metadata = std::map<std::string, std::string>;

// Writes `tensors` (float32 or int64) as safetensors, durably, with a checksum of the tensors and
// the metadata among the metadata. Throws std::system_error.
void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors,
                   Metadata metadata);

// Throws SafetensorsError unless the checksum that write_tensors() left is there and right.
void verify_checksum(const SafetensorsFile& file);
// The checksum as noted; empty when there is none.
std::string checksum_of(const SafetensorsFile& file);

// Copies the bytes of `array` into `tensor`. Throws SafetensorsError when shape or type differ.
void read_into(torch::Tensor tensor, const SafetensorsFile& file, const ArrayInfo& array);

// "[64, 3, 7, 7]"
std::string shape_text(torch::IntArrayRef shape);

}  // namespace ranksweep::worker
