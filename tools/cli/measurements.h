#pragma once

#include <filesystem>
#include <string>
#include <vector>

// What `ranksweep bench` measures without a trainer. Each takes about `seconds`.
namespace ranksweep::cli {

// JPEGs of 160 x 160 decoded and resized to 150 x 150 on one thread, a second. `folder` gets a few
// drawn faces.
double decoded_images_per_second(const std::filesystem::path& folder, double seconds);

// Durable commits of one epoch each to a database in `folder`, a second.
double commits_per_second(const std::filesystem::path& folder, double seconds);

// Trials of one epoch that take no time, on eight ranks in memory, with the coordinator and a
// database in `folder`, a second.
double trials_per_second(const std::filesystem::path& folder, double seconds);

}  // namespace ranksweep::cli
