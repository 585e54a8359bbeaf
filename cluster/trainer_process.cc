#include "cluster/trainer_process.h"

#include <array>
#include <string_view>
#include <unistd.h>

#include <sys/socket.h>

namespace ranksweep::cluster {
namespace {

// Reads at most this much in one call, so that a flood cannot keep an agent from its other work.
constexpr int kMostReads = 16;
using Chunk = std::array<char, 16384>;

// Returns whether there will never be anything more.
template <class Consume>
bool drain(int descriptor, Consume consume) {
  Chunk chunk;
  for (int i = 0; i < kMostReads && descriptor >= 0; ++i) {
    const ssize_t count = ::read(descriptor, chunk.data(), chunk.size());
    if (count <= 0) {
      return count == 0;
    }
    consume(std::string_view(chunk.data(), static_cast<std::size_t>(count)));
  }
  return false;
}

}  // namespace

void TrainerProcess::send(const Command& command) {
  unsent_ += encode(command);
  unsent_ += '\n';
  write_commands();
}

void TrainerProcess::write_commands() {
  if (unsent_.empty() || child_.socket() < 0) {
    return;
  }
  const ssize_t count =
      ::send(child_.socket(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count > 0) {
    unsent_.erase(0, static_cast<std::size_t>(count));
  }
}

std::vector<Report> TrainerProcess::exchange() {
  write_commands();
  read_output();
  said_all_ =
      drain(child_.socket(), [this](std::string_view bytes) { lines_.append(bytes); }) || said_all_;
  std::vector<Report> reports;
  while (const auto line = lines_.next()) {
    reports.push_back(decode_report(*line));
  }
  return reports;
}

void TrainerProcess::read_output() {
  printed_all_ =
      drain(child_.output(), [this](std::string_view bytes) { output_.append(bytes); }) ||
      printed_all_;
}

std::string TrainerProcess::output_tail() {
  read_output();
  return output_.tail();
}

std::vector<pollfd> TrainerProcess::poll_set() const {
  std::vector<pollfd> set;
  if (!printed_all_) {
    set.push_back({.fd = child_.output(), .events = POLLIN, .revents = 0});
  }
  if (child_.socket() >= 0 && !said_all_) {
    set.push_back({.fd = child_.socket(), .events = POLLIN, .revents = 0});
  }
  return set;
}

}  // namespace ranksweep::cluster
