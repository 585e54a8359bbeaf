#include "results/file_system.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ranksweep::results {
namespace {

struct Known {
  unsigned long type;
  const char* name;
  bool local;
};

// Numbers of linux/magic.h and, for what is not part of the kernel, of its own project.
constexpr std::array kKnown = {
    Known{0x6969, "NFS", false},       Known{0x0bd00bd0, "Lustre", false},
    Known{0x47504653, "GPFS", false},  Known{0x19830326, "BeeGFS", false},
    Known{0xff534d42, "CIFS", false},  Known{0xfe534d42, "SMB", false},
    Known{0x65735546, "FUSE", false},  Known{0x00c36400, "CephFS", false},
    Known{0x5346414f, "AFS", false},   Known{0x01021997, "9P", false},
    Known{0xaad7aaea, "PanFS", false}, Known{0xef53, "ext4", true},
    Known{0x58465342, "XFS", true},    Known{0x9123683e, "Btrfs", true},
    Known{0xf2f52010, "F2FS", true},   Known{0x2fc12fc1, "ZFS", true},
    Known{0x01021994, "tmpfs", true},  Known{0x794c7630, "overlay", true},
};

}  // namespace

FileSystem file_system(long type) {
  const unsigned long number = static_cast<unsigned long>(type) & 0xffffffffUL;  // some are signed
  const auto* const known = std::ranges::find(kKnown, number, &Known::type);
  if (known == kKnown.end()) return {.name = fmt::format("type {:#x}", number)};
  return {.name = known->name, .local = known->local};
}

}  // namespace ranksweep::results
