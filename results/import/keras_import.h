#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/import/keras_log.h"
#include "results/import/published_table.h"
#include "results/provenance.h"
#include "results/utc_time.h"

namespace ranksweep::results {

// A progress log, and the model that it is of: its file's name without the extension.
struct ImportedLog {
  std::filesystem::path file;
  std::string model;
  std::string hash;  // of its content
  KerasLog log;
};

// Throws StoreError: for a file that cannot be read, what read_keras_log refuses, or two logs of
// one model.
std::vector<ImportedLog> read_keras_logs(const std::vector<std::filesystem::path>& files);

// How many epochs a log holds, and, one to a line after "FILE:LINE: ", all that could not be taken
// over as it stands.
std::string describe_import(const ImportedLog& log);

// Writes a new database with a trial for each log. Of the provenance, command line, host and
// environment count. Learning rates and numbers of images are not in a log, and are NULL and 0; so
// are the classes that a network told apart, so that no imported trial is marked as collapsed.
// Throws StoreError, and leaves nothing, when `database` exists.
void write_keras_import(const std::filesystem::path& database, const std::vector<ImportedLog>& logs,
                        const Provenance& provenance, const Clock& clock);

// For each row, whether the log of its model gives the same figures, and if not, why.
std::string compare_import(const std::vector<PublishedRow>& published,
                           const std::vector<ImportedLog>& logs);

}  // namespace ranksweep::results
