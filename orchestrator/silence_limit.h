#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace ranksweep::orchestrator {

// How long a trainer may say nothing, in mid-attempt, before it counts as hung: what the sweep file
// wants, else a limit from the longest epoch of this attempt. Until there is one the limit is wide,
// since reading the data and computing the features of a frozen network come first. A trainer
// reports several times in an epoch, so ten epochs of silence are no slow disk.
inline std::chrono::duration<double> silence_limit(std::optional<double> wanted_s,
                                                   std::optional<double> longest_epoch_s) {
  constexpr double kShortest = 120;
  constexpr double kLongest = 600;
  constexpr double kEpochs = 10;
  if (wanted_s) {
    return std::chrono::duration<double>(*wanted_s);
  }
  return std::chrono::duration<double>(
      longest_epoch_s ? std::clamp(kEpochs * *longest_epoch_s, kShortest, kLongest) : kLongest);
}

}  // namespace ranksweep::orchestrator
