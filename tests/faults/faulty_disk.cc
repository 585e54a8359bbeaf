// A VFS of SQLite over the usual one (https://sqlite.org/vfs.html).
#include "tests/faults/faulty_disk.h"

#include <csignal>
#include <cstring>
#include <stdexcept>

#include <sqlite3.h>

namespace ranksweep::testing {
namespace {

constexpr const char* kName = "faulty";

FaultPlan plan;
int operations_done = 0;

Fault next_fault() {
  ++operations_done;
  const bool now = plan.lasting ? operations_done >= plan.at : operations_done == plan.at;
  return now ? plan.fault : Fault::none;
}

// Does `work` or fails with `error`, as planned. `half` comes before a full disk or a kill.
template <class Work, class Half>
int operate(int error, const Work& work, const Half& half) {
  switch (next_fault()) {
    case Fault::none:
      return work();
    case Fault::disk_full:
      half();
      return SQLITE_FULL;
    case Fault::io_error:
      return error;
    case Fault::late_error:
      work();
      return error;
    case Fault::kill:
      half();
      ::raise(SIGKILL);
  }
  return error;
}

void nothing() {}

struct File {  // the real file lies behind it
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

int close_file(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }

int read_file(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

int write_file(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  const auto write = [&](int length) {
    return real(file)->pMethods->xWrite(real(file), bytes, length, offset);
  };
  return operate(
      SQLITE_IOERR_WRITE, [&] { return write(count); }, [&] { write(count / 2); });
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return operate(
      SQLITE_IOERR_TRUNCATE, [&] { return real(file)->pMethods->xTruncate(real(file), size); },
      nothing);
}

int sync_file(sqlite3_file*, int) {
  return operate(
      SQLITE_IOERR_FSYNC, [] { return SQLITE_OK; }, nothing);
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

int lock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}

int unlock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}

int check_lock(sqlite3_file* file, int* result) {
  return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

int control_file(sqlite3_file* file, int operation, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }

int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

// The index of a write-ahead log lies in memory, where nothing fails.
int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  return real(file)->pMethods->xShmMap(real(file), region, size, extend, memory);
}

int lock_memory(sqlite3_file* file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

void order_memory(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }

int unmap_memory(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

constexpr sqlite3_io_methods make_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 2;
  methods.xClose = close_file;
  methods.xRead = read_file;
  methods.xWrite = write_file;
  methods.xTruncate = truncate_file;
  methods.xSync = sync_file;
  methods.xFileSize = size_of_file;
  methods.xLock = lock_file;
  methods.xUnlock = unlock_file;
  methods.xCheckReservedLock = check_lock;
  methods.xFileControl = control_file;
  methods.xSectorSize = sector_size;
  methods.xDeviceCharacteristics = characteristics;
  methods.xShmMap = map_memory;
  methods.xShmLock = lock_memory;
  methods.xShmBarrier = order_memory;
  methods.xShmUnmap = unmap_memory;
  return methods;
}

constexpr sqlite3_io_methods kMethods = make_methods();

sqlite3_vfs* usual() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
  return vfs;
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  const auto open = [&] { return usual()->xOpen(usual(), name, real(file), flags, flags_out); };
  std::memset(real(file), 0, static_cast<std::size_t>(usual()->szOsFile));
  const int result = operate(SQLITE_CANTOPEN, open, nothing);
  if (result == SQLITE_OK) {
    file->pMethods = &kMethods;
  } else if (real(file)->pMethods != nullptr) {
    close_file(file);  // after a late error
  }
  return result;
}

int delete_file(sqlite3_vfs*, const char* name, int) {
  return operate(
      SQLITE_IOERR_DELETE, [&] { return usual()->xDelete(usual(), name, 0); }, nothing);
}

sqlite3_vfs* faulty() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs made = *usual();
    made.szOsFile = static_cast<int>(sizeof(File)) + usual()->szOsFile;
    made.pNext = nullptr;
    made.zName = kName;
    made.xOpen = open_file;
    made.xDelete = delete_file;
    return made;
  }();
  return &vfs;
}

}  // namespace

FaultyDisk::FaultyDisk(FaultPlan planned) {
  plan = planned;
  operations_done = 0;
  if (sqlite3_vfs_register(faulty(), 1) != SQLITE_OK) {
    throw std::runtime_error("SQLite takes no VFS");
  }
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(faulty());
  sqlite3_vfs_register(usual(), 1);
}

int FaultyDisk::operations() const { return operations_done; }

}  // namespace ranksweep::testing
