#include "worker/trainer/sums_command.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <iostream>
#include <system_error>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <torch/torch.h>

#include "worker/parallel/trainer_group.h"

namespace ranksweep::worker {
namespace {

constexpr std::size_t kNumbers = 4 << 20;  // 16 MiB, a bucket of gradients of a larger network
constexpr int kWarmUp = 2;
constexpr int kTimes = 10;
constexpr std::size_t kLongestToken = 512;

torch::Device device_of(int member, bool on_gpus) {
  return on_gpus ? torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(member)) : torch::kCPU;
}

// Bytes a second.
double measure(GradientGroup& group) {
  const std::span<float> gradients = group.allocate(kNumbers);
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kWarmUp + kTimes; ++i) {
    if (i == kWarmUp) start = std::chrono::steady_clock::now();
    group.start_sum(gradients);
    group.wait();
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return static_cast<double>(kTimes * gradients.size_bytes()) / taken.count();
}

[[noreturn]] void be_member(int member, int members, bool on_gpus, int tokens) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    std::array<char, kLongestToken> token{};
    if (::read(tokens, token.data(), token.size() - 1) <= 0) ::_exit(1);  // there is no leader
    measure(*join_group(member, members, device_of(member, on_gpus), token.data()));
  } catch (const std::exception& error) {
    std::cerr << "member " << member << ": " << error.what() << std::endl;
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

void measure_sums(int members, bool on_gpus) {
  // A packet a token, so that each member reads one whole.
  std::array<int, 2> tokens{};
  if (::pipe2(tokens.data(), O_DIRECT | O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "a pipe");
  }
  for (int member = 1; member < members; ++member) {
    if (::fork() == 0) {
      ::close(tokens[1]);
      be_member(member, members, on_gpus, tokens[0]);
    }
  }
  const LedGroup led = lead_group(members, device_of(0, on_gpus));
  for (int member = 1; member < members; ++member) {
    if (::write(tokens[1], led.token.data(), led.token.size()) < 0) {
      throw std::system_error(errno, std::generic_category(), "the token of the group");
    }
  }
  std::printf("%.0f\n", measure(*led.group));
  std::fflush(stdout);
  while (::wait(nullptr) > 0) {
  }
}

}  // namespace ranksweep::worker
