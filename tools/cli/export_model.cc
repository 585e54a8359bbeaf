#include "tools/cli/export_model.h"

#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "cluster/child_process.h"
#include "results/model_card.h"
#include "results/results_reader.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

namespace fs = std::filesystem;

// Becomes its final folder when all is in it, else is gone.
class FolderInWork {
 public:
  explicit FolderInWork(fs::path final_place) : final_place_(std::move(final_place)) {
    if (fs::exists(final_place_)) {
      throw CommandError(ExitCode::bad_input,
                         fmt::format("{} is there already: remove it, or name another folder",
                                     final_place_.string()));
    }
    fs::create_directories(path_);
  }
  ~FolderInWork() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  FolderInWork(const FolderInWork&) = delete;
  FolderInWork& operator=(const FolderInWork&) = delete;

  const fs::path& path() const { return path_; }
  void finish() { fs::rename(path_, final_place_); }

 private:
  fs::path final_place_;
  fs::path path_ = final_place_.string() + ".in-work";
};

}  // namespace

void export_model(const fs::path& database, const std::optional<std::string>& trial,
                  const fs::path& folder) {
  results::ResultsReader reader(database);
  const results::RankedTrial chosen = chosen_trial(reader, database, trial);
  const fs::path checkpoint = best_checkpoint(chosen, database);
  const std::string card = model_card(reader, chosen.trial);
  try {
    FolderInWork work(fs::absolute(folder).lexically_normal());
    cluster::output_of(
        {find_trainer().string(), "export", checkpoint.string(), work.path().string()});
    std::ofstream file(work.path() / "README.md", std::ios::binary);
    file << card;
    if (!file.flush())
      throw fs::filesystem_error("README.md", std::make_error_code(std::errc::io_error));
    file.close();
    work.finish();
  } catch (const fs::filesystem_error& error) {
    throw CommandError(ExitCode::unfit,
                       fmt::format("{} cannot be written: {}", folder.string(), error.what()));
  }
  fmt::print("{} written: model.pt (TorchScript), weights.safetensors, classes.txt, README.md\n",
             folder.string());
}

}  // namespace ranksweep::cli
