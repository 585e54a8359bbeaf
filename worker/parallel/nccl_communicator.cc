#include "worker/parallel/nccl_communicator.h"

#include <cstring>
#include <nccl.h>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "worker/parallel/gradient_group.h"

namespace ranksweep::worker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kPause{50};

ncclComm_t handle(void* communicator) { return static_cast<ncclComm_t>(communicator); }

std::string to_hex(const ncclUniqueId& id) {
  std::string text;
  for (const char byte : id.internal) {
    text += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  }
  return text;
}

ncclUniqueId from_hex(const std::string& text) {
  ncclUniqueId id;
  if (text.size() != 2 * sizeof(id.internal) ||
      text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw GroupBroken(fmt::format("'{}' is no token of a group on GPUs", text));
  }
  for (std::size_t i = 0; i < sizeof(id.internal); ++i) {
    id.internal[i] = static_cast<char>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  }
  return id;
}

ncclDataType_t type_of(NcclCommunicator::Number number) {
  switch (number) {
    case NcclCommunicator::Number::float32:
      return ncclFloat32;
    case NcclCommunicator::Number::float64:
      return ncclFloat64;
    case NcclCommunicator::Number::byte:
      break;
  }
  return ncclUint8;
}

}  // namespace

std::string NcclCommunicator::new_token() {
  ncclUniqueId id;
  const ncclResult_t result = ncclGetUniqueId(&id);
  if (result != ncclSuccess) {
    throw GroupBroken(fmt::format("NCCL makes no group: {}", ncclGetErrorString(result)));
  }
  return to_hex(id);
}

NcclCommunicator::NcclCommunicator(const Options& options, std::string token)
    : options_(options), token_(std::move(token)) {
  from_hex(token_);  // throws
}

NcclCommunicator::~NcclCommunicator() {
  if (communicator_ != nullptr) ncclCommAbort(handle(communicator_));
}

void NcclCommunicator::connect() {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t made = nullptr;
  const ncclResult_t result =
      ncclCommInitRankConfig(&made, options_.members, from_hex(token_), options_.member, &config);
  communicator_ = made;
  expect_success(result, "connecting the members");
}

void NcclCommunicator::sum(void* data, std::size_t count, Number number, Stream stream) {
  if (!broken_.empty()) throw GroupBroken(broken_);
  if (communicator_ == nullptr) connect();
  expect_success(ncclAllReduce(data, data, count, type_of(number), ncclSum, handle(communicator_),
                               static_cast<cudaStream_t>(stream)),
                 "a sum");
}

void NcclCommunicator::broadcast(void* data, std::size_t bytes, Stream stream) {
  if (!broken_.empty()) throw GroupBroken(broken_);
  if (communicator_ == nullptr) connect();
  expect_success(ncclBroadcast(data, data, bytes, ncclUint8, 0, handle(communicator_),
                               static_cast<cudaStream_t>(stream)),
                 "a broadcast");
}

int NcclCommunicator::state() const {
  ncclResult_t state = ncclSuccess;
  const ncclResult_t asked = ncclCommGetAsyncError(handle(communicator_), &state);
  return asked == ncclSuccess ? state : asked;
}

// A communicator that does not block says "in progress" and goes on by itself.
void NcclCommunicator::expect_success(int result, const char* what) {
  if (result != ncclSuccess && result != ncclInProgress) {
    abort(
        fmt::format("{} failed: {}", what, ncclGetErrorString(static_cast<ncclResult_t>(result))));
  }
  if (result == ncclInProgress) wait_until([&] { return state() == ncclSuccess; });
}

void NcclCommunicator::wait_until(const std::function<bool()>& done, Patience patience) {
  if (!broken_.empty()) throw GroupBroken(broken_);
  const auto begin = Clock::now();
  while (!done()) {
    const int now = communicator_ != nullptr ? state() : ncclSuccess;
    if (now != ncclSuccess && now != ncclInProgress) {
      abort(ncclGetErrorString(static_cast<ncclResult_t>(now)));
    }
    if (patience == Patience::time_limit && Clock::now() - begin > options_.time_limit) {
      abort(fmt::format("the members did not come within {} s", options_.time_limit.count()));
    }
    std::this_thread::sleep_for(kPause);
  }
}

void NcclCommunicator::abort(const std::string& reason) {
  const char* last = communicator_ != nullptr ? ncclGetLastError(handle(communicator_)) : nullptr;
  broken_ = fmt::format("the group's NCCL communicator broke: {}", reason);
  if (last != nullptr && std::strlen(last) > 0) broken_ += fmt::format(" ({})", last);
  if (communicator_ != nullptr) ncclCommAbort(handle(std::exchange(communicator_, nullptr)));
  throw GroupBroken(broken_);
}

}  // namespace ranksweep::worker
