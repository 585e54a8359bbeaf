#include "cluster/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdexcept>
#include <string.h>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cluster/node.h"
#include "cluster/trainer_protocol.h"

namespace ranksweep::cluster {
namespace {

void check(int error, const char* what) {
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), what);
  }
}

std::pair<FileDescriptor, FileDescriptor> make_pair_of_sockets() {
  std::array<int, 2> ends = {};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    check(errno, "socketpair");
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::pair<FileDescriptor, FileDescriptor> make_pipe() {
  std::array<int, 2> ends = {};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    check(errno, "pipe");
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

void set_non_blocking(const FileDescriptor& file) {
  ::fcntl(file.number(), F_SETFL, ::fcntl(file.number(), F_GETFL) | O_NONBLOCK);
}

// Ours, without what would make a child that uses MPI believe that it is our rank. A user's own
// settings of MPI stay when we are none.
std::vector<char*> environment_of_child() {
  constexpr std::array<std::string_view, 5> kPrefixes = {"OMPI_", "PMIX", "PMI_", "PRTE_", "HYDI_"};
  const bool rank = launched_by_mpi();
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (!rank || std::none_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
          return variable.starts_with(prefix);
        })) {
      kept.push_back(*entry);
    }
  }
  kept.push_back(nullptr);
  return kept;
}

class SpawnAttributes {
 public:
  SpawnAttributes() {
    check(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

class SpawnActions {
 public:
  SpawnActions(int socket, int output, const std::filesystem::path& folder) {
    check(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init");
    if (!folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    // The socket may already be descriptor 3, where dup2 onto itself only drops close-on-exec.
    ::posix_spawn_file_actions_adddup2(&actions_, socket, kTrainerSocket);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, kTrainerSocket + 1);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

void FileDescriptor::close() {
  if (is_open()) {
    ::close(std::exchange(number_, -1));
  }
}

ExitStatus ExitStatus::from_wait(int status) {
  return WIFSIGNALED(status) ? ExitStatus{.signal = WTERMSIG(status)}
                             : ExitStatus{.code = WEXITSTATUS(status)};
}

std::string ExitStatus::describe() const {
  if (signal == 0) {
    return fmt::format("exit status {}", code);
  }
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("signal {} (SIG{})", signal, name)
                         : fmt::format("signal {}", signal);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::filesystem::path& folder) {
  auto [our_socket, its_socket] = make_pair_of_sockets();
  auto [our_output, its_output] = make_pipe();
  set_non_blocking(our_socket);
  set_non_blocking(our_output);

  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // execve's signature, it does not write
  }
  arguments.push_back(nullptr);
  const SpawnAttributes attributes;
  const SpawnActions actions(its_socket.number(), its_output.number(), folder);
  std::vector<char*> environment = environment_of_child();
  check(::posix_spawnp(&pid_, arguments[0], actions.get(), attributes.get(), arguments.data(),
                       environment.data()),
        arguments[0]);
  socket_ = std::move(our_socket);
  output_ = std::move(our_output);
}

ChildProcess::~ChildProcess() {
  if (!exit_status()) {
    kill();
    wait();
  }
}

std::optional<ExitStatus> ChildProcess::exit_status() { return reap(WNOHANG); }

ExitStatus ChildProcess::wait() {
  while (true) {
    if (const auto status = reap(0)) {
      return *status;
    }
  }
}

std::optional<ExitStatus> ChildProcess::reap(int wait_options) {
  if (!exit_status_) {
    int status = 0;
    if (::waitpid(pid_, &status, wait_options) == pid_) {
      exit_status_ = ExitStatus::from_wait(status);
      // Whatever it started itself goes with it.
      ::kill(-pid_, SIGKILL);
    }
  }
  return exit_status_;
}

void ChildProcess::kill() { ::kill(-pid_, SIGKILL); }

std::string output_of(const std::vector<std::string>& command, const std::function<bool()>& stop) {
  constexpr int kMilliseconds = 200;
  std::string output;
  ChildProcess child(command);
  std::array<char, 4096> chunk = {};
  pollfd readable{.fd = child.output(), .events = POLLIN, .revents = 0};
  while (true) {
    const int ready = ::poll(&readable, 1, kMilliseconds);
    if (stop && stop()) {
      throw CommandStopped();
    }
    if (ready <= 0) {
      continue;  // nothing yet, or a signal
    }
    const ssize_t count = ::read(child.output(), chunk.data(), chunk.size());
    if (count <= 0) {
      break;
    }
    output.append(chunk.data(), static_cast<std::size_t>(count));
  }
  const ExitStatus status = child.wait();
  if (status.code != 0 || status.signal != 0) {
    throw std::runtime_error(
        fmt::format("{} ended with {}:\n{}", command.front(), status.describe(), output));
  }
  return output;
}

}  // namespace ranksweep::cluster
