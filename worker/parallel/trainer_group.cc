#include "worker/parallel/trainer_group.h"

#include <stdexcept>

#include "worker/parallel/shared_memory_group.h"

namespace ranksweep::worker {
namespace {

void need_cpu(torch::Device device) {
  if (device.is_cpu()) return;
  throw std::invalid_argument("a trial on several devices needs CPUs, not " + device.str());
}

}  // namespace

LedGroup lead_group(int members, torch::Device device) {
  need_cpu(device);
  auto group = std::make_unique<SharedMemoryGroup>(SharedMemoryGroup::Options{.members = members});
  std::string token = group->token();
  return {std::move(group), std::move(token)};
}

std::unique_ptr<GradientGroup> join_group(int member, int members, torch::Device device,
                                          const std::string& token) {
  need_cpu(device);
  return std::make_unique<SharedMemoryGroup>(SharedMemoryGroup::Options{.members = members}, member,
                                             token);
}

}  // namespace ranksweep::worker
