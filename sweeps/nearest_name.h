#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ranksweep::sweeps {

// The candidate that `name` is most likely a slip of, by the optimal string alignment distance
// (insert, delete, replace, swap two neighbours); empty when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

// "; did you mean `X`?", or when no name is near "; allowed: a, b, c".
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace ranksweep::sweeps
