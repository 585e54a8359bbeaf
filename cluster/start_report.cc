#include "cluster/start_report.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "cluster/trainer_protocol.h"

namespace ranksweep::cluster {

StartReport::StartReport() {
  auto [reading, low] = make_pipe();
  reading_ = std::move(reading);
  // Above those that the child makes its own.
  writing_ = FileDescriptor(::fcntl(low.number(), F_DUPFD_CLOEXEC, kTrainerSocket + 1));
  if (!writing_.is_open()) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
}

void StartReport::fail(int error) const {
  (void)!::write(writing_.number(), &error, sizeof(error));
  ::_exit(127);
}

int StartReport::wait() {
  writing_.close();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(reading_.number(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  return got > 0 ? error : 0;
}

}  // namespace ranksweep::cluster
