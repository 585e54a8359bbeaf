#include "cluster/nvml.h"

#include <array>
#include <dlfcn.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>

namespace ranksweep::cluster {
namespace {

// NVML's interface as far as it is used here, after the NVML API Reference Guide
// (https://docs.nvidia.com/deploy/nvml-api/). Its nvml.h comes with the CUDA toolkit, which
// building needs for nothing else.
using Device = struct nvmlDevice_st*;
using Result = int;  // nvmlReturn_t
constexpr Result kSuccess = 0;

struct PciInfo {  // nvmlPciInfo_t
  std::array<char, 16> legacy_bus_id;
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned device_id;
  unsigned subsystem_id;
  std::array<char, 32> bus_id;
};

constexpr int kP2pByNvlink = 2;  // nvmlGpuP2PCapsIndex_t
constexpr int kP2pWorks = 0;     // nvmlGpuP2PStatus_t

// nvmlGpuTopologyLevel_t, which leaves room for levels in between.
constexpr int kMultiplePcieSwitches = 20;
constexpr int kHostBridge = 30;
constexpr int kNumaNode = 40;

Nearness nearness_of(int level) {
  if (level <= kMultiplePcieSwitches) return Nearness::pcie_switch;
  if (level <= kHostBridge) return Nearness::host_bridge;
  if (level <= kNumaNode) return Nearness::numa_node;
  return Nearness::system;
}

// A shared library's function, whose type is that of the pointer that it initialises.
struct Symbol {
  void* address = nullptr;
  template <class Function>
  operator Function*() const {
    return reinterpret_cast<Function*>(address);
  }
};

class Library {
 public:
  explicit Library(const char* name) : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) throw std::runtime_error(::dlerror());
  }
  Symbol operator[](const char* name) const {
    void* address = ::dlsym(handle_.get(), name);
    if (address == nullptr) throw std::runtime_error(::dlerror());
    return {address};
  }

 private:
  struct Close {
    void operator()(void* handle) const { ::dlclose(handle); }
  };
  std::unique_ptr<void, Close> handle_;
};

class Nvml {
 public:
  struct Found {
    Device device = nullptr;
    std::string uuid;
  };

  Nvml() { demand(init_()); }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml() { shutdown_(); }

  // By PCI address: NVML promises no order. Without those that it counts, but that do not answer
  // since this process may not use them, or they fell off the bus.
  std::vector<Found> devices() const {
    unsigned count = 0;
    demand(count_(&count));
    std::map<std::tuple<unsigned, unsigned, unsigned>, Found> by_address;
    for (unsigned index = 0; index < count; ++index) {
      Device device = nullptr;
      PciInfo pci = {};
      std::array<char, 96> uuid = {};  // NVML_DEVICE_UUID_V2_BUFFER_SIZE
      if (by_index_(index, &device) == kSuccess && pci_info_(device, &pci) == kSuccess &&
          uuid_(device, uuid.data(), uuid.size()) == kSuccess) {
        by_address[{pci.domain, pci.bus, pci.device}] = {device, uuid.data()};
      }
    }
    std::vector<Found> devices;
    for (const auto& [address, found] : by_address) devices.push_back(found);
    return devices;
  }

  std::optional<Nearness> nearness(Device one, Device other) const {
    int answer = 0;
    if (p2p_status_(one, other, kP2pByNvlink, &answer) == kSuccess && answer == kP2pWorks) {
      return Nearness::nvlink;
    }
    if (common_ancestor_(one, other, &answer) == kSuccess) return nearness_of(answer);
    return std::nullopt;
  }

 private:
  void demand(Result result) const {
    if (result != kSuccess) {
      throw std::runtime_error(fmt::format("NVML: {}", error_string_(result)));
    }
  }

  Library nvml_{"libnvidia-ml.so.1"};
  Result (*init_)() = nvml_["nvmlInit_v2"];
  Result (*shutdown_)() = nvml_["nvmlShutdown"];
  const char* (*error_string_)(Result) = nvml_["nvmlErrorString"];
  Result (*count_)(unsigned* count) = nvml_["nvmlDeviceGetCount_v2"];
  Result (*by_index_)(unsigned index, Device*) = nvml_["nvmlDeviceGetHandleByIndex_v2"];
  Result (*pci_info_)(Device, PciInfo*) = nvml_["nvmlDeviceGetPciInfo_v3"];
  Result (*uuid_)(Device, char* text, unsigned size) = nvml_["nvmlDeviceGetUUID"];
  Result (*p2p_status_)(Device, Device, int index, int* status) = nvml_["nvmlDeviceGetP2PStatus"];
  Result (*common_ancestor_)(Device, Device,
                             int* level) = nvml_["nvmlDeviceGetTopologyCommonAncestor"];
};

}  // namespace

std::vector<Gpu> read_nvml() {
  const Nvml nvml;
  const std::vector<Nvml::Found> devices = nvml.devices();
  std::vector<Gpu> gpus;
  for (const auto& [device, uuid] : devices) {
    Gpu& gpu = gpus.emplace_back(Gpu{.name = uuid, .near = {}});
    for (const auto& other : devices) {
      if (other.device == device) continue;
      if (const auto nearness = nvml.nearness(device, other.device)) {
        gpu.near[other.uuid] = *nearness;
      }
    }
  }
  return gpus;
}

}  // namespace ranksweep::cluster
