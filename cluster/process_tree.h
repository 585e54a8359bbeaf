#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace ranksweep::cluster {

// The children of those processes of this node whose program has this name (of which Linux keeps 15
// characters) and which are below `root`, as its children or theirs.
std::vector<pid_t> children_of_named(pid_t root, const std::string& name);

}  // namespace ranksweep::cluster
