#include "worker/parallel/shared_memory_group.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <random>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ranksweep::worker {
namespace {

constexpr std::size_t kSlotBytes = 256 << 10;
constexpr std::string_view kTokenKind = "shared memory";

std::string own_host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Whole cache lines for each member, so that no two of them write to the same one.
std::size_t begin_of_part(std::size_t count, int part, int parts) {
  constexpr std::size_t kLine = 16;  // numbers
  const std::size_t lines = (count + kLine - 1) / kLine;
  return std::min(count,
                  lines * static_cast<std::size_t>(part) / static_cast<std::size_t>(parts) * kLine);
}

}  // namespace

// Two slots for each member follow: what it wants summed, or broadcast.
struct SharedMemoryGroup::Layout {
  Arrivals arrivals;
  Arrivals gradient_arrivals;
  std::uint64_t secret = 0;  // a process number may have passed on to another trainer

  static std::size_t bytes(int members) {
    return sizeof(Layout) + 2 * kSlotBytes * static_cast<std::size_t>(members);
  }
  static Layout& of(const SharedMemory& memory) {
    return *std::launder(reinterpret_cast<Layout*>(memory.data()));
  }
};

float* SharedMemoryGroup::Arena::place(int member) const {
  return reinterpret_cast<float*>(memory->data()) + stride * static_cast<std::size_t>(member);
}

SharedMemoryGroup::SharedMemoryGroup(const Options& options)
    : SharedMemoryGroup(options, 0,
                        std::make_unique<SharedMemory>(Layout::bytes(options.members))) {
  std::random_device random;
  Layout::of(*memory_).secret = (std::uint64_t{random()} << 32U) | random();
}

namespace {

struct Token {
  std::string address;
  std::uint64_t secret = 0;
};

// "shared memory|HOST|ADDRESS|SECRET"
Token read_token(const std::string& text) {
  std::array<std::string, 4> parts;
  std::size_t begin = 0;
  for (std::string& part : parts) {
    const std::size_t end = std::min(text.find('|', begin), text.size());
    part = text.substr(begin, end - begin);
    begin = std::min(end + 1, text.size());
  }
  if (parts[0] != kTokenKind) {
    throw GroupBroken(fmt::format("'{}' is no token of a group on CPUs", text));
  }
  if (parts[1] != own_host()) {
    throw GroupBroken(
        fmt::format("a trial on CPUs has its trainers on one host, but its leader is on {} and "
                    "this is {}",
                    parts[1], own_host()));
  }
  return {.address = parts[2], .secret = std::strtoull(parts[3].c_str(), nullptr, 16)};
}

}  // namespace

SharedMemoryGroup::SharedMemoryGroup(const Options& options, int member, const std::string& token)
    : SharedMemoryGroup(options, member,
                        std::make_unique<SharedMemory>(read_token(token).address,
                                                       Layout::bytes(options.members))) {
  if (Layout::of(*memory_).secret != read_token(token).secret) {
    throw GroupBroken("the group's leader is gone");
  }
}

SharedMemoryGroup::SharedMemoryGroup(const Options& options, int member,
                                     std::unique_ptr<SharedMemory> memory)
    : options_(options),
      member_(member),
      memory_(std::move(memory)),
      meeting_(Layout::of(*memory_).arrivals, member, options.members),
      gradient_meeting_(Layout::of(*memory_).gradient_arrivals, member, options.members),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

SharedMemoryGroup::~SharedMemoryGroup() { given_up_ = true; }

std::string SharedMemoryGroup::token() const {
  return fmt::format("{}|{}|{}|{:x}", kTokenKind, own_host(), memory_->address(),
                     Layout::of(*memory_).secret);
}

std::byte* SharedMemoryGroup::slot_of(int member) const {
  const auto number = 2 * static_cast<std::size_t>(member) + turn_ % 2;
  return memory_->data() + sizeof(Layout) + number * kSlotBytes;
}

std::byte* SharedMemoryGroup::next_slot() {
  ++turn_;
  return slot_of(member_);
}

template <class Number>
void SharedMemoryGroup::sum_small(std::span<Number> values) {
  constexpr std::size_t kPiece = kSlotBytes / sizeof(Number);
  for (std::size_t begin = 0; begin < values.size(); begin += kPiece) {
    const std::span<Number> piece = values.subspan(begin, std::min(kPiece, values.size() - begin));
    std::memcpy(next_slot(), piece.data(), piece.size_bytes());
    meeting_.meet(options_.time_limit, given_up_);
    std::memcpy(piece.data(), slot_of(0), piece.size_bytes());
    for (int other = 1; other < options_.members; ++other) {
      const auto* theirs = reinterpret_cast<const Number*>(slot_of(other));
      for (std::size_t i = 0; i < piece.size(); ++i) piece[i] += theirs[i];
    }
  }
}

void SharedMemoryGroup::sum(std::span<float> values) { sum_small(values); }
void SharedMemoryGroup::sum(std::span<double> values) { sum_small(values); }

void SharedMemoryGroup::broadcast(std::span<std::byte> bytes) {
  for (std::size_t begin = 0; begin < bytes.size(); begin += kSlotBytes) {
    const std::span<std::byte> piece =
        bytes.subspan(begin, std::min(kSlotBytes, bytes.size() - begin));
    std::byte* own = next_slot();
    if (member_ == 0) std::memcpy(own, piece.data(), piece.size());
    meeting_.meet(std::nullopt, given_up_);
    if (member_ != 0) std::memcpy(piece.data(), slot_of(0), piece.size());
  }
}

std::span<float> SharedMemoryGroup::allocate(std::size_t count) {
  Arena arena{.memory = nullptr, .count = count, .stride = (count + 1023) / 1024 * 1024};
  const std::size_t bytes = std::max<std::size_t>(arena.stride, 1024) * sizeof(float) *
                            static_cast<std::size_t>(options_.members);
  std::array<char, 64> address{};
  if (member_ == 0) {
    arena.memory = std::make_unique<SharedMemory>(bytes);
    arena.memory->address().copy(address.data(), address.size() - 1);
  }
  broadcast(std::as_writable_bytes(std::span(address)));
  if (member_ != 0) arena.memory = std::make_unique<SharedMemory>(address.data(), bytes);
  meeting_.meet(options_.time_limit, given_up_);  // before the leader may release it
  arenas_.push_back(std::move(arena));
  return {arenas_.back().place(member_), count};
}

void SharedMemoryGroup::release(std::span<float> memory) {
  const std::lock_guard lock(mutex_);
  if (!started_.empty()) return;  // after an error, with a sum in work: it is freed with the group
  arenas_.remove_if([&](const Arena& arena) { return arena.place(member_) == memory.data(); });
}

void SharedMemoryGroup::start_sum(std::span<float> gradients) {
  const std::lock_guard lock(mutex_);
  started_.push_back(gradients);
  changed_.notify_all();
}

void SharedMemoryGroup::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return started_.empty() || failure_; });
  if (failure_) std::rethrow_exception(failure_);
}

void SharedMemoryGroup::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !started_.empty(); }) && !given_up_) {
    const std::span<float> gradients = started_.front();
    lock.unlock();
    std::exception_ptr failure;
    try {
      sum_part(gradients);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    started_.pop_front();
    failure_ = failure;
    changed_.notify_all();
    if (failure_) return;
  }
}

void SharedMemoryGroup::sum_part(std::span<float> gradients) {
  const auto arena = std::find_if(arenas_.begin(), arenas_.end(), [&](const Arena& each) {
    const float* begin = each.place(member_);
    return gradients.data() >= begin && gradients.data() + gradients.size() <= begin + each.count;
  });
  if (arena == arenas_.end()) throw std::logic_error("gradients outside of the group's memory");
  const auto offset = static_cast<std::size_t>(gradients.data() - arena->place(member_));
  const auto place = [&](int member) { return arena->place(member) + offset; };

  gradient_meeting_.meet(options_.time_limit, given_up_);
  std::array<float, 2048> total;
  const std::size_t end = begin_of_part(gradients.size(), member_ + 1, options_.members);
  for (std::size_t begin = begin_of_part(gradients.size(), member_, options_.members); begin < end;
       begin += total.size()) {
    const std::size_t count = std::min(total.size(), end - begin);
    std::copy_n(place(0) + begin, count, total.data());
    for (int other = 1; other < options_.members; ++other) {
      const float* theirs = place(other) + begin;
      for (std::size_t i = 0; i < count; ++i) total[i] += theirs[i];
    }
    for (int other = 0; other < options_.members; ++other) {
      std::copy_n(total.data(), count, place(other) + begin);
    }
  }
  gradient_meeting_.meet(options_.time_limit, given_up_);
}

}  // namespace ranksweep::worker
