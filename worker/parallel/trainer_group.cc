#include "worker/parallel/trainer_group.h"

#include <stdexcept>

#include "worker/parallel/shared_memory_group.h"
#if RANKSWEEP_WITH_CUDA
#include "worker/parallel/nccl_group.h"
#endif

namespace ranksweep::worker {
namespace {

#if RANKSWEEP_WITH_CUDA
std::string new_gpu_token() { return NcclCommunicator::new_token(); }

std::unique_ptr<GradientGroup> gpu_group(int member, int members, torch::Device device,
                                         const std::string& token) {
  return std::make_unique<NcclGroup>(
      NcclCommunicator::Options{.member = member, .members = members}, device, token);
}
#else
[[noreturn]] void refuse() {
  throw std::invalid_argument(
      "a trial on several GPUs needs a ranksweep that was built for GPUs (RANKSWEEP_CUDA=ON)");
}

std::string new_gpu_token() { refuse(); }

std::unique_ptr<GradientGroup> gpu_group(int, int, torch::Device, const std::string&) { refuse(); }
#endif

}  // namespace

LedGroup lead_group(int members, torch::Device device) {
  if (!device.is_cpu()) {
    std::string token = new_gpu_token();
    auto group = gpu_group(0, members, device, token);
    return {std::move(group), std::move(token)};
  }
  auto group = std::make_unique<SharedMemoryGroup>(SharedMemoryGroup::Options{.members = members});
  std::string token = group->token();
  return {std::move(group), std::move(token)};
}

std::unique_ptr<GradientGroup> join_group(int member, int members, torch::Device device,
                                          const std::string& token) {
  if (!device.is_cpu()) return gpu_group(member, members, device, token);
  return std::make_unique<SharedMemoryGroup>(SharedMemoryGroup::Options{.members = members}, member,
                                             token);
}

}  // namespace ranksweep::worker
