#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "results/export/export.h"
#include "results/sweep_store.h"

namespace ranksweep::results {

void make_export_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw StoreUnavailable(fmt::format("{}: cannot be made: {}", folder.string(), error.message()));
  }
  if (!std::filesystem::is_empty(folder, error) || error) {
    throw StoreError(fmt::format(
        "{}: is not empty, and nothing is overwritten; give another folder", folder.string()));
  }
}

void export_csv(ResultsReader& reader, const std::filesystem::path& folder) {
  make_export_folder(folder);
  reader.at_one_moment([&] {
    const Table names = reader.query(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE "
        "'sqlite\\_%' ESCAPE '\\' ORDER BY name");
    for (const auto& row : names.rows) {
      const auto& name = std::get<std::string>(row[0]);
      const std::filesystem::path file = folder / (name + ".csv");
      const std::string text =
          render(reader.query(fmt::format("SELECT * FROM \"{}\"", name)), TableFormat::csv);
      if (!(std::ofstream(file, std::ios::binary) << text).flush()) {
        throw StoreUnavailable(fmt::format("{}: cannot be written", file.string()));
      }
    }
  });
}

}  // namespace ranksweep::results
