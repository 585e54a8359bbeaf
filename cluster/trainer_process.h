#pragma once

#include <filesystem>
#include <optional>
#include <poll.h>
#include <string>
#include <vector>

#include "cluster/child_process.h"
#include "cluster/line_buffer.h"
#include "cluster/trainer_protocol.h"

namespace ranksweep::cluster {

// A trainer as its agent sees it: commands in, reports out, and what it printed last. Memory is
// bounded whatever the trainer writes. Nothing here blocks.
class TrainerProcess {
 public:
  // As ChildProcess.
  explicit TrainerProcess(const std::vector<std::string>& command,
                          const std::filesystem::path& folder = {})
      : child_(command, folder) {}

  pid_t pid() const { return child_.pid(); }
  void send(const Command& command);
  // Closes the socket, which asks the trainer to exit.
  void close() { child_.close_socket(); }
  void kill() { child_.kill(); }

  // Moves bytes both ways and returns the reports that are complete. Throws ProtocolError for a
  // line that is none, and for one that is too long.
  std::vector<Report> exchange();
  // Nothing while it runs. Reports that it wrote before it died can still be had by exchange().
  std::optional<ExitStatus> exit_status() { return child_.exit_status(); }
  // The last lines of its stdout and stderr.
  std::string output_tail();

  // What to poll for, to be woken when the trainer has something to say. Without what it closed,
  // which would wake for ever.
  std::vector<pollfd> poll_set() const;

 private:
  void write_commands();
  void read_output();

  ChildProcess child_;
  std::string unsent_;
  LineBuffer lines_{std::size_t{1} << 20};
  TailBuffer output_{std::size_t{8} << 10};
  bool said_all_ = false;     // it closed its socket
  bool printed_all_ = false;  // and its output
};

}  // namespace ranksweep::cluster
