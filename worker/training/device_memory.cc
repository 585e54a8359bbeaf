#include "worker/training/device_memory.h"

#include <fstream>
#include <string>
#include <unistd.h>

#include <c10/core/CachingDeviceAllocator.h>

namespace ranksweep::worker {
namespace {

// Linux keeps the peak of a process until "5" is written there: proc_pid_clear_refs(5).
bool forget_resident_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

// VmHWM, in KiB: proc_pid_status(5).
std::int64_t resident_peak() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::int64_t kibibytes = 0;
    if (word == "VmHWM:" && file >> kibibytes) {
      return kibibytes * 1024;
    }
  }
  return 0;
}

}  // namespace

std::int64_t memory_of(torch::Device device) {
  if (device.is_cpu()) {
    return std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  }
  torch::empty({1}, device);  // brings the device up
  const auto [free, total] = at::getDeviceAllocator(device.type())->getMemoryInfo(device.index());
  return static_cast<std::int64_t>(total);
}

void PeakMemory::restart() {
  if (device_.is_cpu()) {
    is_known_ = forget_resident_peak();
  } else {
    at::getDeviceAllocator(device_.type())->resetPeakStats(device_.index());
    is_known_ = true;
  }
}

std::int64_t PeakMemory::bytes() const {
  if (!is_known_) {
    return 0;
  }
  if (device_.is_cpu()) {
    return resident_peak();
  }
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return at::getDeviceAllocator(device_.type())
      ->getDeviceStats(device_.index())
      .allocated_bytes[kAll]
      .peak;
}

}  // namespace ranksweep::worker
