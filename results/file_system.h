#pragma once

#include <string>

namespace ranksweep::results {

struct FileSystem {
  std::string name;    // "NFS"; "type 0x1234" when it is not known
  bool local = false;  // known to be on this host alone, so that all who use it share memory
};

// By `f_type` of statfs(2).
FileSystem file_system(long type);

}  // namespace ranksweep::results
