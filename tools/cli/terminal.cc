#include "tools/cli/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/ioctl.h>

#include "cluster/child_process.h"
#include "cluster/node.h"

namespace ranksweep::cli {
namespace {

std::optional<int> width_of(int descriptor) {
  winsize size = {};
  if (descriptor < 0 || !::isatty(descriptor) || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0) {
    return std::nullopt;
  }
  return size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::optional<int> terminal_width() {
  if (!cluster::started_by_open_mpi()) {
    return width_of(STDOUT_FILENO);
  }
  const cluster::FileDescriptor launcher(
      ::open(fmt::format("/proc/{}/fd/{}", ::getppid(), STDOUT_FILENO).c_str(),
             O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  return width_of(launcher.number());
}

}  // namespace ranksweep::cli
