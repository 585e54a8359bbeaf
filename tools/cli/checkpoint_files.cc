#include "tools/cli/checkpoint_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

void refuse_external_trainer(const results::RankedTrial& trial,
                             const std::filesystem::path& database) {
  const std::vector<results::Invocation> invocations =
      results::ResultsReader(database).invocations();
  if (invocations.empty()) return;
  const auto& environment = invocations.back().environment;
  const auto trainer =
      std::ranges::find_if(environment, [](const auto& entry) { return entry.first == "trainer"; });
  if (trainer == environment.end()) return;
  throw CommandError(
      ExitCode::bad_input,
      fmt::format("trial {} was trained by `{}`: its model is that program's own, and only that "
                  "program can use it; what it has kept is in {}",
                  trial.trial.short_hex(), trainer->second,
                  (checkpoint_folder(database) / trial.trial.hex()).string()));
}

}  // namespace

results::RankedTrial chosen_trial(results::ResultsReader& reader,
                                  const std::filesystem::path& database,
                                  const std::optional<std::string>& trial) {
  const std::vector<results::RankedTrial> ranking = reader.ranking();
  const auto found =
      trial ? std::ranges::find(ranking, reader.find_trial(*trial), &results::RankedTrial::trial)
            : std::ranges::find(ranking, 1, &results::RankedTrial::rank);
  if (found == ranking.end()) {
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("{} has no ranked trial yet; `ranksweep status {}` shows how far "
                    "the sweep is, --trial takes one that is not ranked",
                    database.string(), database.string()));
  }
  return *found;
}

std::filesystem::path checkpoint_folder(const std::filesystem::path& database) {
  return std::filesystem::absolute(database).replace_extension(".checkpoints");
}

std::filesystem::path best_checkpoint(const results::RankedTrial& trial,
                                      const std::filesystem::path& database) {
  if (!trial.best_epoch) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("trial {} has no complete epoch yet", trial.trial.short_hex()));
  }
  std::filesystem::path file = checkpoint_folder(database) / trial.trial.hex() /
                               fmt::format("best-{}.safetensors", *trial.best_epoch);
  if (!std::filesystem::exists(file)) {
    refuse_external_trainer(trial, database);
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("{} is not there: the weights of trial {} are written when it ends, and lie "
                    "beside the database; was one moved without the other?",
                    file.string(), trial.trial.short_hex()));
  }
  return file;
}

}  // namespace ranksweep::cli
