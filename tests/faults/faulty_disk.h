#pragma once

namespace ranksweep::testing {

// What goes wrong at one operation of SQLite on a file: opening, writing, truncating, syncing or
// deleting it.
enum class Fault {
  none,
  disk_full,   // half of a write is done
  io_error,    // nothing is done
  late_error,  // all is done, and an error reported all the same
  kill,        // SIGKILL to this process, after half of a write
};

struct FaultPlan {
  Fault fault = Fault::none;
  int at = 0;            // the operation, counted from 1
  bool lasting = false;  // from then on
};

// While it lives, every database that is opened in this process lies on a disk that fails as
// planned. Syncs are not passed on, for speed: no test cuts the power. One at a time, one thread.
class FaultyDisk {
 public:
  explicit FaultyDisk(FaultPlan plan);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  int operations() const;
};

}  // namespace ranksweep::testing
