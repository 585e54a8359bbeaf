#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/export/export.h"
#include "results/sweep_store.h"
#include "results/text.h"
#include "results/utc_time.h"

namespace ranksweep::results {
namespace {

using nlohmann::ordered_json;
using Row = std::vector<Cell>;

// Attempts whose epochs are read at once, so that memory does not grow with the sweep.
constexpr std::int64_t kAttemptsAtOnce = 1000;

const std::string& text(const Cell& cell) { return std::get<std::string>(cell); }
std::int64_t integer(const Cell& cell) { return std::get<std::int64_t>(cell); }
bool is_null(const Cell& cell) { return std::holds_alternative<std::monostate>(cell); }

double number(const Cell& cell) {
  const auto* value = std::get_if<double>(&cell);
  return value != nullptr ? *value : is_null(cell) ? NAN : static_cast<double>(integer(cell));
}

// Microseconds since 1970.
std::int64_t microseconds(const Cell& time) {
  using namespace std::chrono;
  return duration_cast<std::chrono::microseconds>(parse_utc(text(time)).time_since_epoch()).count();
}

std::int64_t microseconds(double seconds) { return std::llround(seconds * 1e6); }

struct Span {  // microseconds
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// The events as they come. A reader that finds no "]" at the end takes what there is.
class TraceFile {
 public:
  explicit TraceFile(const std::filesystem::path& path) : path_(path) {
    if (std::filesystem::exists(path)) {
      throw StoreError(fmt::format(
          "{}: is there already, and nothing is overwritten; give another path", path.string()));
    }
    file_.open(path, std::ios::binary);
  }

  void add_slice(const std::string& kind, const std::string& name, std::int64_t process,
                 std::int64_t thread, Span span, ordered_json arguments = ordered_json::object()) {
    write({{"ph", "X"},
           {"cat", kind},
           {"name", valid_utf8(name)},
           {"pid", process},
           {"tid", thread},
           {"ts", span.begin},
           {"dur", std::max<std::int64_t>(span.end - span.begin, 0)},
           {"args", std::move(arguments)}});
  }
  void add_instant(const std::string& name, std::int64_t process, std::int64_t thread,
                   std::int64_t at, const std::string& message) {
    write({{"ph", "i"},
           {"s", "t"},
           {"cat", "event"},
           {"name", valid_utf8(name)},
           {"pid", process},
           {"tid", thread},
           {"ts", at},
           {"args", {{"message", valid_utf8(message)}}}});
  }
  void name_process(std::int64_t process, const std::string& name) {
    name_of("process_name", process, 0, name);
  }
  void name_thread(std::int64_t process, std::int64_t thread, const std::string& name) {
    name_of("thread_name", process, thread, name);
  }
  void close() {
    file_ << (empty_ ? "[]\n" : "\n]\n");
    file_.close();
    if (!file_) throw StoreUnavailable(fmt::format("{}: cannot be written", path_.string()));
  }

 private:
  void name_of(const char* what, std::int64_t process, std::int64_t thread,
               const std::string& name) {
    write({{"ph", "M"},
           {"name", what},
           {"pid", process},
           {"tid", thread},
           {"args", {{"name", valid_utf8(name)}}}});
  }
  void write(const ordered_json& event) {
    file_ << (empty_ ? "[\n" : ",\n") << event.dump();
    empty_ = false;
  }

  std::filesystem::path path_;
  std::ofstream file_;
  bool empty_ = true;
};

// Writes the rows of one sweep. Belongs to one call of export_trace.
class TraceWriter {
 public:
  TraceWriter(ResultsReader& reader, TraceFile& file) : reader_(reader), file_(file) {}

  void write() {
    name_ranks();
    const Table range = reader_.query("SELECT coalesce(max(id), 0) FROM attempt");
    const std::int64_t last = integer(range.rows[0][0]);
    for (std::int64_t first = 1; first <= last; first += kAttemptsAtOnce) write_attempts(first);
    write_pauses();
    write_events();
  }

 private:
  std::int64_t process_of(const std::string& host) {
    const auto [found, is_new] =
        processes_.try_emplace(host, static_cast<std::int64_t>(processes_.size()) + 1);
    if (is_new) file_.name_process(found->second, host.empty() ? "unknown host" : host);
    return found->second;
  }

  void name_ranks() {
    const Table ranks = reader_.query(R"(
        SELECT DISTINCT host, rank, device FROM attempt
        UNION SELECT host, rank, device FROM attempt_member ORDER BY rank, host, device)");
    for (const Row& row : ranks.rows) {
      const std::int64_t process = process_of(text(row[0]));
      file_.name_thread(process, integer(row[1]),
                        fmt::format("rank {}: {}", integer(row[1]), text(row[2])));
      host_of_rank_[integer(row[1])] = process;
    }
  }

  void write_attempts(std::int64_t first) {
    const std::string these = fmt::format("BETWEEN {} AND {}", first, first + kAttemptsAtOnce - 1);
    std::map<std::int64_t, std::vector<Row>> epochs;  // by attempt
    for (Row& row : reader_
                        .query("SELECT attempt.id, epoch, epoch.ended_at, seconds, data_wait_s, "
                               "train_loss, val_loss, val_accuracy, validation_s, "
                               "peak_memory_bytes FROM attempt JOIN epoch "
                               "ON epoch.trial = attempt.trial AND epoch.attempt = attempt.id "
                               "WHERE epoch.ended_at IS NOT NULL AND attempt.id " +
                               these + " ORDER BY attempt.id, epoch")
                        .rows) {
      epochs[integer(row[0])].push_back(std::move(row));
    }
    std::map<std::int64_t, std::vector<Row>> members;  // by attempt
    for (Row& row : reader_
                        .query("SELECT attempt, host, rank FROM attempt_member WHERE member > 0 "
                               "AND attempt " +
                               these)
                        .rows) {
      members[integer(row[0])].push_back(std::move(row));
    }
    for (const Row& row : reader_
                              .query("SELECT attempt.id, attempt.host, attempt.rank, begun_at, "
                                     "ended_at, coalesce(outcome, 'running'), cause, "
                                     "trial.identity, coalesce(description, '') "
                                     "FROM attempt JOIN trial ON trial.id = attempt.trial "
                                     "LEFT JOIN sweep_trial ON sweep_trial.trial = trial.id "
                                     "WHERE attempt.id " +
                                     these + " ORDER BY attempt.id")
                              .rows) {
      write_attempt(row, epochs[integer(row[0])], members[integer(row[0])]);
    }
  }

  void write_attempt(const Row& row, const std::vector<Row>& epochs,
                     const std::vector<Row>& members) {
    Span span{.begin = microseconds(row[3])};
    span.end = !is_null(row[4]) ? microseconds(row[4])
               : epochs.empty() ? span.begin
                                : microseconds(epochs.back()[2]);
    const std::string& trial = text(row[7]);
    const std::string name = text(row[8]).empty() ? trial.substr(0, 8) : text(row[8]);
    const ordered_json arguments = {{"trial", trial},
                                    {"attempt", integer(row[0])},
                                    {"outcome", text(row[5])},
                                    {"cause", valid_utf8(text(row[6]))}};
    const std::int64_t process = process_of(text(row[1]));
    file_.add_slice("attempt", name, process, integer(row[2]), span, arguments);
    write_epochs(epochs, process, integer(row[2]), span);
    for (const Row& member : members) {
      file_.add_slice("attempt", name, process_of(text(member[1])), integer(member[2]), span,
                      arguments);
    }
  }

  // An epoch's time is known by its end. Where several were committed at once, since the database
  // was away, they lie one after the other as well as they can.
  void write_epochs(const std::vector<Row>& epochs, std::int64_t process, std::int64_t rank,
                    Span attempt) {
    std::int64_t free_from = attempt.begin;
    for (const Row& row : epochs) {
      Span span{.end = std::min(microseconds(row[2]), attempt.end)};
      span.begin = std::clamp(span.end - microseconds(number(row[3])), free_from,
                              std::max(span.end, free_from));
      span.end = std::max(span.end, span.begin);
      if (&row == &epochs.front() && span.begin > attempt.begin) {
        file_.add_slice("start", "start", process, rank, {attempt.begin, span.begin});
      }
      file_.add_slice("epoch", fmt::format("epoch {}", integer(row[1])), process, rank, span,
                      {{"train_loss", number(row[5])},
                       {"val_loss", number(row[6])},
                       {"val_accuracy", number(row[7])},
                       {"data_wait_s", number(row[4])},
                       {"peak_memory_bytes", integer(row[9])}});
      const std::int64_t length = span.end - span.begin;
      const std::int64_t validated = std::min(microseconds(number(row[8])), length);
      const std::int64_t waited = std::min(microseconds(number(row[4])), length - validated);
      if (waited > 0) {
        file_.add_slice("data", "waits for images, in all", process, rank,
                        {span.begin, span.begin + waited});
      }
      if (validated > 0) {
        file_.add_slice("validation", "validation", process, rank,
                        {span.end - validated, span.end});
      }
      free_from = span.end;
    }
  }

  void write_pauses() {
    for (const Row& row : reader_
                              .query("SELECT rank, reason, begun_at, ended_at FROM device_idle "
                                     "WHERE reason <> 'start of a trial'")
                              .rows) {
      file_.add_slice("idle", text(row[1]), process_of_rank(integer(row[0])), integer(row[0]),
                      {microseconds(row[2]), microseconds(row[3])});
    }
  }

  void write_events() {
    for (const Row& row :
         reader_.query("SELECT rank, kind, at, message FROM event WHERE kind <> 'idle'").rows) {
      file_.add_instant(text(row[1]), process_of_rank(integer(row[0])), integer(row[0]),
                        microseconds(row[2]), text(row[3]));
    }
  }

  // The host on which the rank trained last.
  std::int64_t process_of_rank(std::int64_t rank) {
    const auto found = host_of_rank_.find(rank);
    return found == host_of_rank_.end() ? process_of("") : found->second;
  }

  ResultsReader& reader_;
  TraceFile& file_;
  std::map<std::string, std::int64_t> processes_;      // by host
  std::map<std::int64_t, std::int64_t> host_of_rank_;  // its process
};

}  // namespace

void export_trace(ResultsReader& reader, const std::filesystem::path& file) {
  TraceFile trace(file);
  reader.at_one_moment([&] { TraceWriter(reader, trace).write(); });
  trace.close();
}

}  // namespace ranksweep::results
