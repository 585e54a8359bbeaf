#include "tests/worker/parallel/nccl_stand_in/nccl_stand_in.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace {

struct Operation {  // one collective, until all members have called it
  std::vector<void*> data;
  std::vector<nccl_stand_in::Stream*> streams;
  int arrived = 0;
};

struct Group {
  int members = 0;
  int connected = 0;
  std::map<std::uint64_t, Operation> operations;  // by their number
};

std::mutex mutex;
std::map<std::uint64_t, std::shared_ptr<Group>> groups;
std::uint64_t last_id = 0;
ncclResult_t asynchronous_error = ncclSuccess;
ncclResult_t next_operation = ncclSuccess;
int aborted = 0;

std::uint64_t number_of(const ncclUniqueId& id) {
  std::uint64_t number = 0;
  std::memcpy(&number, id.internal, sizeof(number));
  return number;
}

template <class Value>
void add_all(const std::vector<void*>& data, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Value total = 0;
    for (void* each : data) total += static_cast<Value*>(each)[i];
    for (void* each : data) static_cast<Value*>(each)[i] = total;
  }
}

}  // namespace

struct ncclComm {
  std::shared_ptr<Group> group;
  int member = 0;
  std::uint64_t operations = 0;
};

namespace {

template <class Complete>
ncclResult_t queue(void* data, ncclComm_t communicator, cudaStream_t stream, Complete complete) {
  const std::lock_guard lock(mutex);
  if (next_operation != ncclSuccess) return std::exchange(next_operation, ncclSuccess);
  Group& group = *communicator->group;
  Operation& operation = group.operations[communicator->operations++];
  operation.data.resize(static_cast<std::size_t>(group.members));
  operation.data.at(static_cast<std::size_t>(communicator->member)) = data;
  operation.streams.push_back(reinterpret_cast<nccl_stand_in::Stream*>(stream));
  ++operation.streams.back()->pending;
  if (++operation.arrived < group.members) return ncclSuccess;
  complete(operation.data);
  for (auto* each : operation.streams) --each->pending;
  return ncclSuccess;
}

}  // namespace

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const std::lock_guard lock(mutex);
  std::memset(id->internal, 0, sizeof(id->internal));
  ++last_id;
  std::memcpy(id->internal, &last_id, sizeof(last_id));
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* communicator, int members, ncclUniqueId id,
                                    int member, ncclConfig_t* config) {
  const std::lock_guard lock(mutex);
  if (config->blocking != 0) return ncclInvalidArgument;  // could wait without end
  auto& group = groups[number_of(id)];
  if (!group) group = std::make_shared<Group>();
  group->members = members;
  ++group->connected;
  *communicator = new ncclComm{group, member};
  return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t communicator, ncclResult_t* state) {
  const std::lock_guard lock(mutex);
  *state = asynchronous_error;
  if (*state == ncclSuccess && communicator->group->connected < communicator->group->members) {
    *state = ncclInProgress;
  }
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t communicator) {
  const std::lock_guard lock(mutex);
  ++aborted;
  delete communicator;
  return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void*, void* to, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t, ncclComm_t communicator, cudaStream_t stream) {
  return queue(to, communicator, stream, [&](const std::vector<void*>& data) {
    if (type == ncclFloat64) {
      add_all<double>(data, count);
    } else {
      add_all<float>(data, count);
    }
  });
}

ncclResult_t ncclBroadcast(const void*, void* to, std::size_t count, ncclDataType_t, int root,
                           ncclComm_t communicator, cudaStream_t stream) {
  return queue(to, communicator, stream, [&](const std::vector<void*>& data) {
    for (void* each : data) std::memmove(each, data.at(static_cast<std::size_t>(root)), count);
  });
}

const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclRemoteError ? "remote process exited" : "internal error";
}

const char* ncclGetLastError(ncclComm_t) { return "said by the stand-in"; }

namespace nccl_stand_in {

void break_all_communicators(ncclResult_t error) {
  const std::lock_guard lock(mutex);
  asynchronous_error = error;
}
void fail_next_operation(ncclResult_t error) {
  const std::lock_guard lock(mutex);
  next_operation = error;
}
void reset() {
  const std::lock_guard lock(mutex);
  asynchronous_error = next_operation = ncclSuccess;
  aborted = 0;
}
int aborted_communicators() {
  const std::lock_guard lock(mutex);
  return aborted;
}

}  // namespace nccl_stand_in
