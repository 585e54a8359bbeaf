#include "tools/cli/progress_display.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "tools/cli/terminal.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

using orchestrator::Ending;
using orchestrator::Ledger;
using orchestrator::Placement;
using orchestrator::TrialCounts;
using orchestrator::TrialRecord;

constexpr std::chrono::milliseconds kRedrawInterval{250};
constexpr std::size_t kMostRankLines = 24;  // more would scroll away
constexpr const char* kEraseLine = "\x1b[2K";
constexpr const char* kLineUp = "\x1b[1A";

const sweeps::EpochMetrics* best_epoch(const TrialRecord& trial) {
  const auto best =
      std::min_element(trial.epochs.begin(), trial.epochs.end(),
                       [](const auto& a, const auto& b) { return a.val_loss < b.val_loss; });
  return best == trial.epochs.end() ? nullptr : &*best;
}

std::string epoch_text(const TrialRecord& trial) {
  const sweeps::EpochMetrics& last = trial.epochs.back();
  const sweeps::EpochMetrics& best = *best_epoch(trial);
  const std::string accuracy =
      std::isnan(last.val_accuracy) ? "" : fmt::format("acc {:5.1f} %  ", 100 * last.val_accuracy);
  return fmt::format("epoch {:>2}/{}  val loss {:.4f}  {}(best {:.4f} at {})", last.epoch,
                     trial.planned->spec.epochs, last.val_loss, accuracy, best.val_loss,
                     best.epoch);
}

std::string bar(double fraction) {
  constexpr int kWidth = 12;
  const int full = std::clamp(static_cast<int>(std::lround(fraction * kWidth)), 0, kWidth);
  std::string text;
  for (int i = 0; i < kWidth; ++i) {
    text += i < full ? "█" : "░";
  }
  return text;
}

// The first `width` characters of UTF-8 text.
std::string cut(const std::string& text, int width) {
  int characters = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool starts_character = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (starts_character && ++characters > width) {
      break;
    }
  }
  return text.substr(0, end);
}

}  // namespace

ProgressDisplay::ProgressDisplay(const sweeps::Plan& plan, Clock::time_point start)
    : plan_(plan), start_(start), now_(start), on_terminal_(terminal_width().has_value()) {}

ProgressDisplay::~ProgressDisplay() { std::fflush(stdout); }

void ProgressDisplay::rank_joined(cluster::Rank rank, const Placement& placement) {
  ranks_[rank].device = fmt::format("{} {}", placement.host, placement.device);
  if (!on_terminal_) {
    print_event(rank, fmt::format("joined: {} on {}, {}", placement.device, placement.host,
                                  count_text(placement.threads, "thread")));
  }
}

void ProgressDisplay::attempt_started(cluster::Rank rank, const TrialRecord& trial,
                                      int resumed_from) {
  ranks_[rank].trial = &trial;
  ranks_[rank].progress = {};
  if (!on_terminal_) {
    print_event(
        rank,
        fmt::format("{}  started{}", name_of(trial),
                    resumed_from > 0 ? fmt::format(", goes on after epoch {}", resumed_from) : ""));
  }
}

void ProgressDisplay::progressed(cluster::Rank rank, const TrialRecord& trial,
                                 const cluster::Progress& progress) {
  ranks_[rank].trial = &trial;
  ranks_[rank].progress = progress;
}

void ProgressDisplay::epoch_done(cluster::Rank rank, const TrialRecord& trial) {
  if (!on_terminal_) {
    print_event(rank, fmt::format("{}  {}", name_of(trial), epoch_text(trial)));
  }
}

void ProgressDisplay::attempt_ended(cluster::Rank rank, const TrialRecord& trial,
                                    const Ending& ending) {
  ranks_[rank].trial = nullptr;
  if (const auto* best = best_epoch(trial); best != nullptr &&
                                            trial.state == sweeps::TrialState::finished &&
                                            (best_.empty() || best->val_loss < best_loss_)) {
    best_ = name_of(trial);
    best_loss_ = best->val_loss;
  }
  std::string text = fmt::format("{}  {}", name_of(trial), sweeps::name_of(trial.state));
  if (trial.state == sweeps::TrialState::finished) {
    text += fmt::format(" after {}: best val loss {:.4f} at epoch {}",
                        count_text(static_cast<int>(trial.epochs.size()), "epoch"),
                        best_epoch(trial)->val_loss, best_epoch(trial)->epoch);
  } else if (trial.state == sweeps::TrialState::pending ||
             trial.state == sweeps::TrialState::running) {  // it may be at the next attempt by now
    text = fmt::format("{}  attempt {}", name_of(trial), sweeps::name_of(ending.outcome));
  }
  if (!ending.cause.empty()) {
    text +=
        fmt::format(" ({}{}{})", ending.cause, ending.message.empty() ? "" : ": ", ending.message);
  }
  print_event(rank, text);
}

void ProgressDisplay::rank_quarantined(cluster::Rank rank, const std::string& message) {
  print_event(rank, message);
}

void ProgressDisplay::storage_troubled(const std::string& problem) {
  print_line("waiting to write, nothing is lost: " + problem);
}

void ProgressDisplay::base_ran(const cluster::BasePasses& passes) {
  passes_used_ += passes.used;
  passes_run_ += passes.run;
}

std::string ProgressDisplay::base_passes_text() const {
  if (passes_used_ == 0) return "";
  return fmt::format("frozen bases ran {} over a set of images; sharing saved {}",
                     count_text(passes_run_, "time"),
                     count_text(passes_used_ - passes_run_, "run"));
}

void ProgressDisplay::storage_recovered() { print_line("the database can be written again"); }

std::string ProgressDisplay::name_of(const TrialRecord& trial) const {
  return fmt::format("{} {}", trial.planned->id.short_hex(),
                     sweeps::describe(trial.planned->spec, plan_.swept));
}

void ProgressDisplay::print_event(cluster::Rank rank, const std::string& text) {
  print_line(fmt::format("rank {:<3} {}", rank, text));
}

void ProgressDisplay::print_line(const std::string& text) {
  erase_block();
  const double seconds = std::chrono::duration<double>(now_ - start_).count();
  fmt::print("{:>9.1f} s  {}\n", seconds, text);
  std::fflush(stdout);
}

void ProgressDisplay::tick(Clock::time_point now, const Ledger& ledger) {
  now_ = now;
  work_at_start_ = work_at_start_.value_or(ledger.work_done());
  if (on_terminal_ && now - last_drawn_ >= kRedrawInterval) {
    last_drawn_ = now;
    redraw(ledger, terminal_width().value_or(80));
  }
}

void ProgressDisplay::redraw(const Ledger& ledger, int width) {
  erase_block();
  const int columns = width - 1;
  fmt::print("{}\n", cut(summary(ledger), columns));
  lines_drawn_ = 1;
  for (const auto& [rank, line] : ranks_) {
    if (static_cast<std::size_t>(lines_drawn_) > kMostRankLines) {
      fmt::print("  and {} more\n",
                 count_text(static_cast<int>(ranks_.size() - kMostRankLines), "rank"));
      ++lines_drawn_;
      break;
    }
    fmt::print("{}\n", cut(line_of(rank, line), columns));
    ++lines_drawn_;
  }
  std::fflush(stdout);
}

void ProgressDisplay::erase_block() {
  for (; lines_drawn_ > 0; --lines_drawn_) {
    fmt::print("{}{}", kLineUp, kEraseLine);
  }
}

std::string ProgressDisplay::summary(const Ledger& ledger) const {
  const TrialCounts& counts = ledger.counts();
  std::string text = fmt::format("{}: {} of {} done, {} running", plan_.sweep_name, counts.ended(),
                                 count_text(counts.total(), "trial"), counts.running);
  if (counts.failed > 0) {
    text += fmt::format(", {} failed", counts.failed);
  }
  if (counts.diverged > 0) {
    text += fmt::format(", {} diverged", counts.diverged);
  }
  text += "  ·  " + duration_text(std::chrono::duration<double>(now_ - start_).count());
  if (const auto left = time_left(ledger)) {
    text += fmt::format(", about {} left", duration_text(*left));
  }
  if (!best_.empty()) {
    text += fmt::format("  ·  best {:.4f} {}", best_loss_, best_);
  }
  return text;
}

std::string ProgressDisplay::line_of(cluster::Rank rank, const RankLine& line) const {
  const std::string head = fmt::format("  rank {:<3} {:<12} ", rank, line.device);
  if (line.trial == nullptr) {
    return head + "idle";
  }
  const TrialRecord& trial = *line.trial;
  const cluster::Progress& progress = line.progress;
  const double done = static_cast<double>(trial.epochs.size()) +
                      (progress.steps > 0 && progress.epoch > static_cast<int>(trial.epochs.size())
                           ? static_cast<double>(progress.step) / progress.steps
                           : 0.0);
  const std::string speed = progress.images_per_second > 0
                                ? fmt::format("{:>6.0f} img/s", progress.images_per_second)
                                : std::string(12, ' ');
  return fmt::format("{}{} {}  {}  {}", head, bar(done / trial.planned->spec.epochs), speed,
                     name_of(trial), trial.epochs.empty() ? "epoch  1" : epoch_text(trial));
}

std::optional<double> ProgressDisplay::time_left(const Ledger& ledger) const {
  const double done_now = ledger.work_done() - work_at_start_.value_or(0);
  if (done_now <= 0) {
    return std::nullopt;
  }
  const double left = ledger.work() - ledger.work_done();
  return std::chrono::duration<double>(now_ - start_).count() * left / done_now;
}

}  // namespace ranksweep::cli
