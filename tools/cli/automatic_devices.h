#pragma once

#include "sweeps/plan.h"

namespace ranksweep::cli {

// What `devices: auto` goes by.
struct DevicesAtHand {
  int count = 1;            // over all nodes, one a rank
  int most = 1;             // that one trial can have
  double memory_bytes = 0;  // of each; 0: not known
};

// The plan with every `devices: auto` settled; identities stay those of the sweep file. A trial
// gets one device, unless it does not fit into the memory of one, or is so long that its own work
// is several devices' equal share of all: then the power of two that mends it, as far as the
// devices and the images of a batch go.
sweeps::Plan settle_devices(sweeps::Plan plan, const DevicesAtHand& at_hand);

}  // namespace ranksweep::cli
