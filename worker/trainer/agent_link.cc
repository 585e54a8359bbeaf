#include "worker/trainer/agent_link.h"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace ranksweep::worker {

void AgentLink::send(const cluster::Report& report) {
  const std::string line = cluster::encode(report) + '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) throw AgentGone();
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<cluster::Command> AgentLink::poll() { return receive(Patience::none); }

cluster::Command AgentLink::wait() { return receive(Patience::endless).value(); }

std::optional<cluster::Command> AgentLink::receive(Patience patience) {
  std::array<char, 4096> bytes;
  while (true) {
    if (auto line = lines_.next()) return cluster::decode_command(*line);
    const int flags = patience == Patience::none ? MSG_DONTWAIT : 0;
    const ssize_t received = recv(socket_, bytes.data(), bytes.size(), flags);
    if (received > 0) {
      lines_.append({bytes.data(), static_cast<std::size_t>(received)});
    } else if (received < 0 && errno == EINTR) {
      continue;
    } else if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return std::nullopt;
    } else {
      throw AgentGone();
    }
  }
}

}  // namespace ranksweep::worker
