#pragma once

#include <optional>

#include "cluster/line_buffer.h"
#include "cluster/trainer_protocol.h"

namespace ranksweep::worker {

// The agent closed the socket, or is gone: the trainer has nobody to work for.
struct AgentGone {};

// The trainer's end of the trainer protocol. Members throw AgentGone, and cluster::ProtocolError
// for a line that is no command.
class AgentLink {
 public:
  // `socket`: a connected stream socket; not closed here.
  explicit AgentLink(int socket) : socket_(socket) {}

  void send(const cluster::Report& report);
  // The next command, without waiting for it.
  std::optional<cluster::Command> poll();
  cluster::Command wait();

 private:
  enum class Patience { none, endless };
  std::optional<cluster::Command> receive(Patience patience);

  int socket_;
  cluster::LineBuffer lines_{1 << 20};
};

}  // namespace ranksweep::worker
