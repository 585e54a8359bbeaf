#pragma once

#include <optional>

namespace ranksweep::cli {

// The width in columns of the terminal that shows our standard output; nothing when it goes to a
// file or a pipe. Under mpirun standard output is mpirun's own, or a pseudo-terminal that it
// opened, whatever it is itself connected to: then mpirun's standard output decides.
std::optional<int> terminal_width();

}  // namespace ranksweep::cli
