#pragma once

#include <string>
#include <vector>

#include "sweeps/members.h"
#include "sweeps/sweep_spec.h"

namespace ranksweep::sweeps {

// What stands in the blocks of a sweep file besides parameters of trials.
const std::vector<Member<DataSpec>>& data_members();
const std::vector<Member<Execution>>& execution_members();

// The keys that a sweep file may have at its top level, and those of its block `data`.
std::vector<std::string> top_level_names();
std::vector<std::string> data_keys();

Shape name_shape();

// The block at the top of a sweep file in which `key` would be right: "training", "data",
// "execution", or "" when there is none.
std::string block_of(const std::string& key);

}  // namespace ranksweep::sweeps
