#pragma once

#include <atomic>

#include "tests/worker/parallel/nccl_stand_in/nccl.h"

namespace nccl_stand_in {

// Stands for a CUDA stream: how many operations on it are not complete.
struct Stream {
  std::atomic<int> pending = 0;
  bool idle() const { return pending == 0; }
};

// Every communicator tells this error from now on, as NCCL does when a peer or a network is gone.
void break_all_communicators(ncclResult_t error);
// The next call that queues an operation answers so.
void fail_next_operation(ncclResult_t error);
// Back to a library without faults.
void reset();
int aborted_communicators();  // since reset()

}  // namespace nccl_stand_in
