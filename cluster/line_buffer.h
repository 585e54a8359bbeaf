#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ranksweep::cluster {

// Cuts a stream of bytes into lines, holding at most `limit` bytes of an unfinished one.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t limit) : limit_(limit) {}

  // Throws ProtocolError when a line outgrows the limit.
  void append(std::string_view bytes);
  // The next complete line, without its newline.
  std::optional<std::string> next();

 private:
  std::size_t limit_;
  std::string bytes_;
  std::size_t start_ = 0;  // of the first line not handed out yet
};

// The last `limit` bytes of what a program printed.
class TailBuffer {
 public:
  explicit TailBuffer(std::size_t limit) : limit_(limit) {}

  void append(std::string_view bytes);
  // Whole lines where there are any, at most `limit` bytes.
  std::string tail() const;
  void clear() { bytes_.clear(); }

 private:
  std::size_t limit_;
  std::string bytes_;  // at most twice the limit
};

}  // namespace ranksweep::cluster
