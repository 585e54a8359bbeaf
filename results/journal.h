#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace ranksweep::results {

// What makes a commit atomic (docs/decisions/0014-journals.md).
enum class Journal {
  rollback,  // works on every file system
  wal,       // a write-ahead log: a commit is one sync, and readers hold it up never
};

// The answer of `ranksweep query DATABASE SQL`, in a process of its own.
using AskInAnotherProcess =
    std::function<std::string(const std::filesystem::path& database, const std::string& sql)>;

// Why a database in `folder` cannot have a write-ahead log; empty when it can. The file system must
// be known to be a local one, since all processes map the log's index; then a database is made
// there, for a moment, that another process must read while it is written.
std::string why_no_wal(const std::filesystem::path& folder, const AskInAnotherProcess& ask);

}  // namespace ranksweep::results
