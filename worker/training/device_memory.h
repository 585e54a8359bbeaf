#pragma once

#include <cstdint>

#include <torch/torch.h>

namespace ranksweep::worker {

// All that a device has, in bytes; a CPU has its machine's.
std::int64_t memory_of(torch::Device device);

// The most memory that was held at once since the last restart(): on a GPU what LibTorch's
// allocator gave out, on a CPU what of this process was resident, the images that it maps among it.
class PeakMemory {
 public:
  explicit PeakMemory(torch::Device device) : device_(device) {}

  void restart();
  std::int64_t bytes() const;  // 0: not known

 private:
  torch::Device device_;
  bool is_known_ = false;
};

}  // namespace ranksweep::worker
