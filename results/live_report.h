#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

namespace SQLite {
class Database;
}

namespace ranksweep::results {

// The HTML report of a database that a sweep writes to, for any number of readers and threads. The
// database is looked at when somebody asks, but not more often than every half second, and read
// again only when another program has committed to it (PRAGMA data_version). It is copied into
// memory first, which holds a writer up for milliseconds, however long the report takes.
class LiveReport {
 public:
  struct Page {
    std::string html;
    std::string version;  // a hash of it
  };

  // Throws StoreError, as page does.
  explicit LiveReport(const std::filesystem::path& database);
  LiveReport(const LiveReport&) = delete;
  LiveReport& operator=(const LiveReport&) = delete;
  ~LiveReport();

  std::shared_ptr<const Page> page();

 private:
  using SteadyClock = std::chrono::steady_clock;

  std::filesystem::path path_;
  std::mutex mutex_;  // guards what follows
  std::unique_ptr<SQLite::Database> database_;
  int data_version_ = 0;
  SteadyClock::time_point next_look_;
  std::shared_ptr<const Page> page_;
};

}  // namespace ranksweep::results
