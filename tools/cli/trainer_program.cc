#include "tools/cli/trainer_program.h"

#include <array>
#include <cstdlib>
#include <poll.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "cluster/child_process.h"
#include "tools/cli/exit_code.h"

namespace ranksweep::cli {

std::filesystem::path find_trainer() {
  if (const char* chosen = std::getenv("RANKSWEEP_TRAINER")) {
    return chosen;
  }
  auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ranksweep-trainer";
  if (!std::filesystem::exists(beside)) {
    throw CommandError(ExitCode::unfit,
                       fmt::format("{} is not there: build or install it beside ranksweep, or name "
                                   "another trainer in RANKSWEEP_TRAINER",
                                   beside.string()));
  }
  return beside;
}

std::string output_of(const std::vector<std::string>& command) {
  std::string output;
  try {
    cluster::ChildProcess child(command);
    std::array<char, 4096> chunk = {};
    pollfd readable{.fd = child.output(), .events = POLLIN, .revents = 0};
    while (::poll(&readable, 1, -1) > 0) {
      const ssize_t count = ::read(child.output(), chunk.data(), chunk.size());
      if (count <= 0) {
        break;
      }
      output.append(chunk.data(), static_cast<std::size_t>(count));
    }
    const cluster::ExitStatus status = child.wait();
    if (status.code != 0 || status.signal != 0) {
      throw CommandError(ExitCode::unfit, fmt::format("{} ended with {}:\n{}", command.front(),
                                                      status.describe(), output));
    }
  } catch (const std::system_error& error) {
    throw CommandError(ExitCode::unfit, error.what());
  }
  return output;
}

}  // namespace ranksweep::cli
