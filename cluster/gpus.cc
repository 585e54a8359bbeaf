#include "cluster/gpus.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "cluster/nvml.h"

namespace ranksweep::cluster {
namespace {

constexpr std::string_view kGpuUuid = "GPU-";
constexpr std::string_view kMigUuid = "MIG-";

Gpu named(std::string_view name) { return {.name = std::string(name), .near = {}}; }

std::vector<Gpu> gpus_by_device_file() {
  std::vector<Gpu> gpus;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", none)) {
    const std::string file = entry.path().filename();
    constexpr std::string_view kStart = "nvidia";
    if (file.starts_with(kStart) && file.size() > kStart.size() &&
        file.find_first_not_of("0123456789", kStart.size()) == std::string::npos) {
      gpus.push_back(named(std::to_string(gpus.size())));
    }
  }
  return gpus;
}

std::optional<std::size_t> index_from(std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(index)
                                                                  : std::nullopt;
}

// The GPU that an entry of CUDA_VISIBLE_DEVICES names, `known` being all of the node.
std::optional<Gpu> find_among(const std::vector<Gpu>& known, std::string_view entry) {
  if (entry.starts_with(kMigUuid)) return named(entry);
  if (entry.starts_with(kGpuUuid)) {
    const auto meant = [&](const Gpu& gpu) { return gpu.name.starts_with(entry); };
    const auto found = std::ranges::find_if(known, meant);
    const bool unique = std::ranges::count_if(known, meant) == 1;
    return unique ? std::optional(*found) : std::nullopt;
  }
  const auto index = index_from(entry);
  return index && *index < known.size() ? std::optional(known[*index]) : std::nullopt;
}

// The same where only the entries themselves are known.
std::optional<Gpu> take_unseen(std::string_view entry) {
  const bool valid =
      entry.starts_with(kGpuUuid) || entry.starts_with(kMigUuid) || index_from(entry);
  return valid ? std::optional(named(entry)) : std::nullopt;
}

// The GPUs of CUDA_VISIBLE_DEVICES; `find` as above.
template <class Find>
std::vector<Gpu> listed(std::string_view list, Find find) {
  std::vector<Gpu> gpus;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view entry = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    entry.remove_prefix(std::min(entry.find_first_not_of(' '), entry.size()));
    const auto gpu = find(entry);
    if (!gpu) break;
    // CUDA shows none where one is named twice.
    if (std::ranges::count(gpus, gpu->name, &Gpu::name) > 0) return {};
    gpus.push_back(*gpu);
    // CUDA shows no more than one MIG device to a process: NVIDIA Multi-Instance GPU User Guide,
    // Device Enumeration.
    if (gpu->name.starts_with(kMigUuid)) break;
  }
  return gpus;
}

}  // namespace

std::string_view name_of(Nearness nearness) {
  switch (nearness) {
    case Nearness::nvlink:
      return "NVLink";
    case Nearness::pcie_switch:
      return "PCIe switch";
    case Nearness::host_bridge:
      return "host bridge";
    case Nearness::numa_node:
      return "NUMA node";
    case Nearness::system:
      return "system";
  }
  return "";
}

VisibleGpus visible_gpus() {
  const char* list = std::getenv("CUDA_VISIBLE_DEVICES");
  const char* order = std::getenv("CUDA_DEVICE_ORDER");
  try {
    if (order != nullptr && order != std::string_view("PCI_BUS_ID")) {
      throw std::runtime_error(fmt::format("CUDA_DEVICE_ORDER is {}, not PCI_BUS_ID", order));
    }
    const std::vector<Gpu> known = read_nvml();
    const auto find = [&](std::string_view entry) { return find_among(known, entry); };
    return {.gpus = list == nullptr ? known : listed(list, find), .why_no_details = ""};
  } catch (const std::runtime_error& error) {
    return {.gpus = list == nullptr ? gpus_by_device_file() : listed(list, take_unseen),
            .why_no_details = error.what()};
  }
}

}  // namespace ranksweep::cluster
