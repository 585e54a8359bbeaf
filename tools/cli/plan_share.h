#pragma once

#include <optional>
#include <string>

#include "sweeps/plan.h"

namespace ranksweep::cli {

// One of the parts that a plan is dealt into, to be run apart from the others.
struct Share {
  int number = 1;  // from 1
  int of = 1;

  std::string text() const;  // "2/4"
};

// What text() writes. Nothing for anything else.
std::optional<Share> parse_share(const std::string& text);

// The trials of `plan` that are in `share`, in the plan's order. Every trial is in one of the
// shares, those that share the passes of a frozen base in the same. The shares cost about the same:
// what is longest is dealt first, to the share with the least work (LPT, as orchestrator::Ledger).
// The same plan is always dealt in the same way.
sweeps::Plan share_of(const sweeps::Plan& plan, const Share& share);

}  // namespace ranksweep::cli
