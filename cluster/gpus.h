#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ranksweep::cluster {

// The best way between two GPUs of a node, the nearest first.
enum class Nearness {
  nvlink,       // links of their own, or a switch of such links
  pcie_switch,  // PCIe switches alone
  host_bridge,  // a PCIe host bridge
  numa_node,    // several host bridges of one NUMA node
  system        // the link between NUMA nodes
};

// "NVLink", "PCIe switch", "host bridge", "NUMA node", "system".
std::string_view name_of(Nearness nearness);

struct Gpu {
  std::string name;  // "GPU-8932f937-...": its UUID; an index, where none is known
  std::map<std::string, Nearness> near;  // to others of the node by name, as far as it is known
};

struct VisibleGpus {
  std::vector<Gpu> gpus;       // the N-th is "cuda:N"
  std::string why_no_details;  // neither UUIDs nor nearness is known; empty: they are
};

// The GPUs that CUDA shows to a process of this environment: those that NVML finds, of them the
// ones in CUDA_VISIBLE_DEVICES where that is set. It may hold indices, UUIDs or unique beginnings
// of them, and UUIDs of MIG devices, and ends at the first entry that is none of these: CUDA C++
// Programming Guide, CUDA Environment Variables. An index counts by PCI address, as CUDA does with
// CUDA_DEVICE_ORDER=PCI_BUS_ID, which trainers are given unless the user has chosen another order.
// With another one, and without NVML, all that is known is the entries of CUDA_VISIBLE_DEVICES, or
// how many /dev/nvidiaN there are.
VisibleGpus visible_gpus();

}  // namespace ranksweep::cluster
