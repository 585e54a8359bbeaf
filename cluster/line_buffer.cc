#include "cluster/line_buffer.h"

#include <fmt/format.h>

#include "cluster/trainer_protocol.h"

namespace ranksweep::cluster {

void LineBuffer::append(std::string_view bytes) {
  bytes_.erase(0, start_);
  start_ = 0;
  bytes_.append(bytes);
  const std::size_t last_newline = bytes_.rfind('\n');
  const std::size_t unfinished =
      last_newline == std::string::npos ? bytes_.size() : bytes_.size() - last_newline - 1;
  if (unfinished > limit_) {
    throw ProtocolError(fmt::format("a line is longer than {} bytes", limit_));
  }
}

std::optional<std::string> LineBuffer::next() {
  const std::size_t newline = bytes_.find('\n', start_);
  if (newline == std::string::npos) {
    return std::nullopt;
  }
  std::string line = bytes_.substr(start_, newline - start_);
  start_ = newline + 1;
  return line;
}

void TailBuffer::append(std::string_view bytes) {
  bytes_.append(bytes);
  if (bytes_.size() > 2 * limit_) {
    bytes_.erase(0, bytes_.size() - limit_);
  }
}

std::string TailBuffer::tail() const {
  if (bytes_.size() <= limit_) {
    return bytes_;
  }
  const std::size_t newline = bytes_.find('\n', bytes_.size() - limit_);
  return bytes_.substr(newline == std::string::npos || newline + 1 == bytes_.size()
                           ? bytes_.size() - limit_
                           : newline + 1);
}

}  // namespace ranksweep::cluster
