#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace ranksweep::results {

// Keeps a readable copy of a database that a sweep writes to, for dashboards and other readers, who
// then never touch the live file. The copy is replaced as a whole: whoever opens it sees one moment
// of the sweep. Nothing here throws: a copy that cannot be written is told once, and tried again.
class Publisher {
 public:
  using Clock = std::chrono::steady_clock;

  // The database must exist.
  Publisher(std::filesystem::path database, std::filesystem::path copy);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  // Copies when something was committed since the last copy, a few seconds have passed, and copying
  // takes less than a twentieth of the time. Returns what people should be told: what is wrong, or
  // that it works again.
  std::string publish_if_due(Clock::time_point now);
  // Copies now, for the end of a sweep.
  std::string publish();

 private:
  class Source;

  bool changed();
  void copy_and_replace();
  std::string tell(const std::string& problem);

  std::filesystem::path database_;
  std::filesystem::path copy_;
  std::unique_ptr<Source> source_;
  Clock::time_point next_;
  std::int64_t copied_version_ = -1;
  std::string problem_;  // told last; empty: none
};

}  // namespace ranksweep::results
