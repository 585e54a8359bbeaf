#include "results/publisher.h"

#include <system_error>
#include <utility>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "results/database.h"
#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

constexpr std::chrono::seconds kShortestInterval{3};
constexpr int kShareOfTime = 20;
constexpr std::chrono::milliseconds kBusyTimeout{50};

}  // namespace

class Publisher::Source {
 public:
  explicit Source(const std::filesystem::path& path)
      : database_(open_to_copy(path, kBusyTimeout)) {}

  SQLite::Database& database() { return *database_; }
  // Another number after each commit of another connection.
  std::int64_t version() { return database_->execAndGet("PRAGMA data_version").getInt64(); }

 private:
  std::unique_ptr<SQLite::Database> database_;
};

Publisher::Publisher(std::filesystem::path database, std::filesystem::path copy)
    : database_(std::move(database)), copy_(std::move(copy)) {}

Publisher::~Publisher() = default;

std::string Publisher::publish_if_due(Clock::time_point now) {
  if (now < next_) {
    return "";
  }
  std::string message = publish();
  const Clock::duration taken = Clock::now() - now;
  next_ = now + std::max<Clock::duration>(kShortestInterval, kShareOfTime * taken);
  return message;
}

std::string Publisher::publish() {
  try {
    with_store_errors(database_, [&] {
      if (source_ == nullptr) {
        source_ = std::make_unique<Source>(database_);
      }
      if (changed()) {
        copy_and_replace();
      }
    });
  } catch (const StoreError& error) {
    return tell(error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return tell(error.what());
  }
  return tell("");
}

bool Publisher::changed() { return source_->version() != copied_version_; }

void Publisher::copy_and_replace() {
  const std::int64_t version = source_->version();
  const std::filesystem::path fresh = copy_.string() + ".new";
  std::filesystem::remove(fresh);
  with_store_errors(fresh, [&] {
    SQLite::Database target(fresh.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup backup(target, source_->database());
    backup.executeStep(-1);
    end_wal(target);  // which a copy has from its original, and readers on other hosts cannot use
  });
  std::filesystem::rename(fresh, copy_);
  copied_version_ = version;
}

std::string Publisher::tell(const std::string& problem) {
  if (problem == problem_) {
    return "";
  }
  problem_ = problem;
  return problem.empty() ? fmt::format("{} is published again", copy_.string())
                         : fmt::format("the copy {} is not renewed: {}", copy_.string(), problem);
}

}  // namespace ranksweep::results
