// A stand-in for NVML in tests, without GPUs: NVIDIA's interface as far as ranksweep uses it, in a
// library of the same name. NVML_STAND_IN says what the machine has, separated by spaces: a GPU as
// its UUID, "@" and its PCI bus; one that may not be used as "denied"; the nearness of two of them
// as "0-1=20", a level of nvmlGpuTopologyLevel_t, or "0-1=nvlink". Others are at level 50, the
// farthest. Without the variable there is no driver.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

extern "C" {

enum nvmlReturn_t {
  NVML_SUCCESS = 0,
  NVML_ERROR_INVALID_ARGUMENT = 2,
  NVML_ERROR_NO_PERMISSION = 4,
  NVML_ERROR_DRIVER_NOT_LOADED = 9,
};
enum nvmlGpuP2PCapsIndex_t { NVML_P2P_CAPS_INDEX_NVLINK = 2 };
enum nvmlGpuP2PStatus_t { NVML_P2P_STATUS_OK = 0, NVML_P2P_STATUS_NOT_SUPPORTED = 5 };

struct nvmlPciInfo_t {
  char busIdLegacy[16];
  unsigned int domain;
  unsigned int bus;
  unsigned int device;
  unsigned int pciDeviceId;
  unsigned int pciSubSystemId;
  char busId[32];
};

struct nvmlDevice_st {
  unsigned int index;
  std::string uuid;
  unsigned int bus;
};
using nvmlDevice_t = nvmlDevice_st*;
}

namespace {

constexpr int kFarthest = 50;
constexpr int kNvlink = -1;

std::vector<nvmlDevice_st> devices;
std::map<std::pair<unsigned int, unsigned int>, int> levels;

int level_of(nvmlDevice_t one, nvmlDevice_t other) {
  const auto found = levels.find(std::minmax(one->index, other->index));
  return found == levels.end() ? kFarthest : found->second;
}

}  // namespace

extern "C" {

nvmlReturn_t nvmlInit_v2() {
  const char* machine = std::getenv("NVML_STAND_IN");
  if (machine == nullptr) return NVML_ERROR_DRIVER_NOT_LOADED;
  devices.clear();
  levels.clear();
  std::istringstream words(machine);
  for (std::string word; words >> word;) {
    std::pair<unsigned int, unsigned int> pair;
    char level[8] = "";
    if (std::sscanf(word.c_str(), "%u-%u=%7s", &pair.first, &pair.second, level) == 3) {
      levels[pair] = level == std::string("nvlink") ? kNvlink : std::atoi(level);
      continue;
    }
    const std::size_t at = word.find('@');
    const auto index = static_cast<unsigned int>(devices.size());
    devices.push_back({index, word.substr(0, at),
                       at == std::string::npos ? index
                                               : static_cast<unsigned int>(std::stoul(
                                                     word.substr(at + 1), nullptr, 16))});
  }
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlShutdown() { return NVML_SUCCESS; }

const char* nvmlErrorString(nvmlReturn_t result) {
  return result == NVML_ERROR_DRIVER_NOT_LOADED ? "Driver Not Loaded" : "Unknown Error";
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int* count) {
  *count = static_cast<unsigned int>(devices.size());
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t* device) {
  if (index >= devices.size()) return NVML_ERROR_INVALID_ARGUMENT;
  if (devices[index].uuid == "denied") return NVML_ERROR_NO_PERMISSION;
  *device = &devices[index];
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char* uuid, unsigned int length) {
  std::snprintf(uuid, length, "%s", device->uuid.c_str());
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t* pci) {
  *pci = {};
  pci->bus = device->bus;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetP2PStatus(nvmlDevice_t one, nvmlDevice_t other,
                                    nvmlGpuP2PCapsIndex_t index, nvmlGpuP2PStatus_t* status) {
  if (index != NVML_P2P_CAPS_INDEX_NVLINK) return NVML_ERROR_INVALID_ARGUMENT;
  *status = level_of(one, other) == kNvlink ? NVML_P2P_STATUS_OK : NVML_P2P_STATUS_NOT_SUPPORTED;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(nvmlDevice_t one, nvmlDevice_t other, int* level) {
  *level = level_of(one, other) == kNvlink ? kFarthest : level_of(one, other);
  return NVML_SUCCESS;
}

}  // extern "C"
