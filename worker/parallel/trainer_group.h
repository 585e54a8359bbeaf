#pragma once

#include <memory>
#include <string>

#include <torch/torch.h>

#include "worker/parallel/gradient_group.h"

namespace ranksweep::worker {

// A group of which this process is the leader.
struct LedGroup {
  std::unique_ptr<GradientGroup> group;
  std::string token;  // lets the others in, on any host that the group's kind reaches
};

// The kind of group that fits `device`: shared memory between CPUs of one host, NCCL between GPUs.
// Throw std::invalid_argument for a device that has none, GroupBroken, std::system_error.
LedGroup lead_group(int members, torch::Device device);
std::unique_ptr<GradientGroup> join_group(int member, int members, torch::Device device,
                                          const std::string& token);

}  // namespace ranksweep::worker
