#include "results/new_database.h"

#include <unistd.h>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "results/database.h"
#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

[[noreturn]] void refuse_to_overwrite(const std::filesystem::path& path) {
  throw StoreError(fmt::format(
      "{}: is there already, and nothing is overwritten; give another path", path.string()));
}

}  // namespace

NewDatabase::NewDatabase(const std::filesystem::path& path)
    : path_(path),
      hidden_(path.parent_path() / fmt::format(".{}.{}", path.filename().string(), getpid())) {
  if (std::filesystem::exists(std::filesystem::symlink_status(path))) refuse_to_overwrite(path);
  database_ = open_for_writing(hidden_, std::chrono::milliseconds(0));
  with_store_errors(path, [&] { create_schema(*database_); });
}

NewDatabase::~NewDatabase() {
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove(hidden_, ignored);
  std::filesystem::remove(hidden_.string() + "-journal", ignored);
}

void NewDatabase::publish() {
  database_.reset();
  std::error_code error;
  std::filesystem::create_hard_link(hidden_, path_, error);  // unlike rename, never over a file
  if (error == std::errc::file_exists) refuse_to_overwrite(path_);
  if (error) {
    throw StoreUnavailable(
        fmt::format("{}: cannot be made: {}; check the folder, or give another "
                    "path",
                    path_.string(), error.message()));
  }
}

}  // namespace ranksweep::results
