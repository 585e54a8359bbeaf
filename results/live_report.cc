#include "results/live_report.h"

#include <algorithm>

#include <SQLiteCpp/SQLiteCpp.h>

#include "results/database.h"
#include "results/report.h"
#include "results/results_reader.h"
#include "sweeps/trial_id.h"

namespace ranksweep::results {
namespace {

constexpr std::chrono::milliseconds kBusyTimeout{5'000};
constexpr std::chrono::milliseconds kLeastPause{500};
constexpr int kPauseFactor = 20;  // a report that takes a second is made every twenty seconds

}  // namespace

LiveReport::LiveReport(const std::filesystem::path& database)
    : path_(database), database_(open_to_copy(database, kBusyTimeout)) {}

LiveReport::~LiveReport() = default;

std::shared_ptr<const LiveReport::Page> LiveReport::page() {
  const std::lock_guard lock(mutex_);
  const auto begin = SteadyClock::now();
  if (page_ != nullptr && begin < next_look_) return page_;
  with_store_errors(path_, [&] {
    // Asked before the copy is made: what is committed in between is seen the next time.
    const int data_version = database_->execAndGet("PRAGMA data_version").getInt();
    if (page_ != nullptr && data_version == data_version_) return;
    ResultsReader reader(path_, copy_into_memory(*database_));
    Page page{.html = report_html(reader, {.live = true})};
    page.version = sweeps::hash_hex(page.html);
    page_ = std::make_shared<const Page>(std::move(page));
    data_version_ = data_version;
  });
  const auto end = SteadyClock::now();
  next_look_ = end + std::max<SteadyClock::duration>(kLeastPause, kPauseFactor * (end - begin));
  return page_;
}

}  // namespace ranksweep::results
