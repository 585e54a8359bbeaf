#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ranksweep::cli {

// Makes `folder`: the network of the trial whose identity begins with `trial`, or of the best one,
// in a form that needs no ranksweep, with a model card. Appears as a whole or not at all. Throws
// CommandError, when `folder` is there already too.
void export_model(const std::filesystem::path& database, const std::optional<std::string>& trial,
                  const std::filesystem::path& folder);

}  // namespace ranksweep::cli
