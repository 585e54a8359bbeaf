#include "cluster/transport.h"

#include <stdexcept>
#include <utility>

namespace ranksweep::cluster {

void LocalTransport::send(Rank to, std::string body) {
  if (to != 0) {
    throw std::out_of_range("a transport of one rank cannot reach another");
  }
  inbox_.push_back({.from = 0, .body = std::move(body)});
}

std::optional<Envelope> LocalTransport::receive() {
  if (inbox_.empty()) {
    return std::nullopt;
  }
  Envelope envelope = std::move(inbox_.front());
  inbox_.pop_front();
  return envelope;
}

}  // namespace ranksweep::cluster
