#pragma once

#include <string>

namespace ranksweep::sweeps {

// A sweep file to start from: small, complete, with every parameter, its meaning and its default in
// comments. `ranksweep init` writes it.
std::string starter_sweep();

}  // namespace ranksweep::sweeps
