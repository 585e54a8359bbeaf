#pragma once

#include <ostream>

#include "sweeps/trial_values.h"

// GoogleTest names cases by their parameters: those of a sweep by what its file calls them.
namespace ranksweep::sweeps {

inline void PrintTo(TrainingMode mode, std::ostream* out) {
  *out << encode(mode).get<std::string>();
}
inline void PrintTo(Precision precision, std::ostream* out) {
  *out << encode(precision).get<std::string>();
}

}  // namespace ranksweep::sweeps
