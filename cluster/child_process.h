#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace ranksweep::cluster {

// A descriptor that is closed when its owner goes.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { close(); }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void close();

 private:
  int number_ = -1;
};

// The end to read from and the one to write to, both closed by execve(). Throws std::system_error.
std::pair<FileDescriptor, FileDescriptor> make_pipe();

// How a process ended: by exiting with `code`, or by `signal`.
struct ExitStatus {
  int code = 0;
  int signal = 0;  // 0 when it exited

  // From the status of waitpid().
  static ExitStatus from_wait(int status);
  // "exit status 3", "signal 9 (SIGKILL)".
  std::string describe() const;
};

// A process of ours with a socket at its descriptor 3 and its output on a pipe. It leads a process
// group of its own, so that a Ctrl-C at the terminal reaches us alone and a kill reaches all of it.
// It is killed when the thread that started it is gone, by whatever. When we are an MPI rank, MPI's
// variables are taken out of its environment, so that it may start MPI programs itself. The
// destructor kills the group and reaps the process. Our own ends never block.
class ChildProcess {
 public:
  // Its working folder is `folder`, from which a program's relative path starts too; ours when it
  // is empty. Throws std::system_error when `command` cannot be started.
  explicit ChildProcess(const std::vector<std::string>& command,
                        const std::filesystem::path& folder = {});
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  int socket() const { return socket_.number(); }  // both ways
  int output() const { return output_.number(); }  // its stdout and stderr, for reading
  void close_socket() { socket_.close(); }

  // Nothing while it runs.
  std::optional<ExitStatus> exit_status();
  // Waits for its end.
  ExitStatus wait();
  // SIGKILL to its whole process group.
  void kill();

 private:
  std::optional<ExitStatus> reap(int wait_options);

  FileDescriptor socket_;
  FileDescriptor output_;
  pid_t pid_ = -1;
  std::optional<ExitStatus> exit_status_;
};

// Thrown out of output_of() when `stop` says so; the command has been killed.
struct CommandStopped {};

// Runs `command` to its end and returns what it printed, stdout and stderr together. Asks `stop`,
// if there is one, a few times a second whether to end it. Throws std::runtime_error with what was
// printed when the command cannot be started or does not exit with 0.
std::string output_of(const std::vector<std::string>& command,
                      const std::function<bool()>& stop = {});

}  // namespace ranksweep::cluster
