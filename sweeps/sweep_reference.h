#pragma once

#include <string>

namespace ranksweep::sweeps {

// Every key of a sweep file as Markdown tables: what is allowed, the default, what it means.
// docs/sweep_file.md contains this text.
std::string sweep_reference();

}  // namespace ranksweep::sweeps
