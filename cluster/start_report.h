#pragma once

#include "cluster/child_process.h"

namespace ranksweep::cluster {

// How a child, made by fork() or vfork(), tells its parent that it could not become another
// program.
class StartReport {
 public:
  StartReport();  // throws std::system_error

  // In the child, which ends. Does nothing but system calls.
  [[noreturn]] void fail(int error) const;
  // In the parent: waits until the child is another program, or is gone. 0, or why it could not.
  int wait();

 private:
  FileDescriptor reading_;
  FileDescriptor writing_;  // closed by the child's execve()
};

}  // namespace ranksweep::cluster
