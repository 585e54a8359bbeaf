#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace ranksweep::cluster {

// The processes of this node below `root`, children of children too, whose program has this name
// (of which Linux keeps 15 characters).
std::vector<pid_t> descendants_named(pid_t root, const std::string& name);

}  // namespace ranksweep::cluster
