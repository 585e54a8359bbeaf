#include "cluster/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <signal.h>
#include <stdexcept>
#include <string.h>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cluster/node.h"
#include "cluster/start_report.h"
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

// What a child becomes. All of it is made before: until the child is another program it shares our
// memory, as vfork() has it, and may do nothing but system calls.
struct NewProgram {
  char* const* arguments;
  char* const* environment;
  int socket;
  int output;
  const char* folder;  // nullptr: ours
  pid_t parent;
};

// In the child. Returns why it could not.
int become(const NewProgram& program) {
  // An agent takes its trainer along, whatever the trainer is busy with: nobody else would hear it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != program.parent) ::_exit(1);  // we are gone already
  ::setpgid(0, 0);
  if (program.folder != nullptr && ::chdir(program.folder) != 0) return errno;
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(program.output, STDOUT_FILENO);
  ::dup2(program.output, STDERR_FILENO);
  if (program.socket == kTrainerSocket) {
    ::fcntl(kTrainerSocket, F_SETFD, 0);  // dup2 onto itself would leave it to be closed
  } else {
    ::dup2(program.socket, kTrainerSocket);
  }
  // On execve(), since the report of its failure is among them.
  ::close_range(kTrainerSocket + 1, std::numeric_limits<unsigned>::max(), CLOSE_RANGE_CLOEXEC);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(program.arguments[0], program.arguments, program.environment);
  return errno;
}

// posix_spawn() cannot have a child die with its parent, and fork() would copy the page tables of
// all that MPI has mapped. Throws std::system_error.
pid_t start_child(const NewProgram& program) {
  StartReport report;
  sigset_t all;
  sigset_t ours;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &ours);  // no handler of ours runs in the child
  const pid_t pid = ::vfork();                  // NOLINT(bugprone-unsafe-functions)
  if (pid == 0) {
    report.fail(become(program));
  }
  const int error = pid < 0 ? errno : report.wait();
  ::pthread_sigmask(SIG_SETMASK, &ours, nullptr);
  if (pid > 0 && error != 0) ::waitpid(pid, nullptr, 0);
  check(error, program.arguments[0]);
  return pid;
}

}  // namespace

std::pair<FileDescriptor, FileDescriptor> make_pipe() {
  std::array<int, 2> ends = {};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    check(errno, "pipe");
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

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
  const std::vector<char*> environment = environment_of_child();
  pid_ = start_child({.arguments = arguments.data(),
                      .environment = environment.data(),
                      .socket = its_socket.number(),
                      .output = its_output.number(),
                      .folder = folder.empty() ? nullptr : folder.c_str(),
                      .parent = ::getpid()});
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
