#include "tools/cli/launch_verdict.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ranksweep::cli {
namespace {

// What `run` said, if another launch would not change it.
std::optional<ExitCode> final_word(const EndedLaunch& launch) {
  constexpr std::array kFinal = {ExitCode::bad_input, ExitCode::unfit, ExitCode::interrupted};
  const bool exited = launch.status.signal == 0;
  const auto found = std::ranges::find_if(kFinal, [&](ExitCode code) {
    return launch.told == code || (exited && launch.status.code == static_cast<int>(code));
  });
  return found == kFinal.end() ? std::nullopt : std::optional(*found);
}

// mpirun tells of a killed rank as a shell does.
bool was_killed(const cluster::ExitStatus& status) {
  return status.signal != 0 || status.code > 128;
}

}  // namespace

Verdict judge(const EndedLaunch& launch, int most_fruitless) {
  const bool began = launch.after.invocations > launch.before.invocations;
  if (began && launch.after.complete()) {
    return {.exit_code =
                launch.after.failed_trials > 0 ? ExitCode::trials_failed : ExitCode::success};
  }
  if (launch.told_to_stop) {
    return {.exit_code = ExitCode::interrupted};
  }
  if (const auto code = final_word(launch)) {
    return {.exit_code = code};
  }
  if (!began && !was_killed(launch.status)) {
    return {.exit_code = ExitCode::unfit,
            .problem = fmt::format("the launcher ended with {} before the sweep began",
                                   launch.status.describe())};
  }
  const bool fruitful = launch.after.work_done > launch.before.work_done;
  const int fruitless = fruitful ? 0 : launch.fruitless + 1;
  if (fruitless > most_fruitless) {
    return {.exit_code = ExitCode::unfit,
            .fruitless = fruitless,
            .problem = fmt::format(
                "launches in a row that trained no epoch: {}; the last ended with {}. What was "
                "committed is safe, and the same command goes on once the cause is mended",
                fruitless, launch.status.describe())};
  }
  return {.exit_code = std::nullopt, .fruitless = fruitless, .problem = ""};
}

}  // namespace ranksweep::cli
