#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "orchestrator/clock.h"
#include "orchestrator/ledger.h"
#include "orchestrator/progress_listener.h"
#include "sweeps/plan.h"

namespace ranksweep::cli {

// Shows a sweep as it runs: on a terminal a block of lines that is drawn again a few times a
// second, one a rank; elsewhere a plain line for each event, fit for a batch job's log.
class ProgressDisplay : public orchestrator::ProgressListener {
 public:
  using Clock = orchestrator::Clock;

  ProgressDisplay(const sweeps::Plan& plan, Clock::time_point start);
  // Leaves the last state on the screen.
  ~ProgressDisplay() override;

  void rank_joined(cluster::Rank rank, const orchestrator::Placement& placement) override;
  void attempt_started(cluster::Rank rank, const orchestrator::TrialRecord& trial,
                       int resumed_from) override;
  void progressed(cluster::Rank rank, const orchestrator::TrialRecord& trial,
                  const cluster::Progress& progress) override;
  void base_ran(const cluster::BasePasses& passes) override;
  void epoch_done(cluster::Rank rank, const orchestrator::TrialRecord& trial) override;
  void attempt_ended(cluster::Rank rank, const orchestrator::TrialRecord& trial,
                     const orchestrator::Ending& ending) override;
  void rank_quarantined(cluster::Rank rank, const std::string& message) override;
  void storage_troubled(const std::string& problem) override;
  void storage_recovered() override;

  void tick(Clock::time_point now, const orchestrator::Ledger& ledger);

  // How much the sharing of frozen bases has saved; empty when no base was frozen.
  std::string base_passes_text() const;

 private:
  struct RankLine {
    std::string device;
    const orchestrator::TrialRecord* trial = nullptr;  // null: idle
    cluster::Progress progress;
  };

  std::string name_of(const orchestrator::TrialRecord& trial) const;
  void print_line(const std::string& text);
  void print_event(cluster::Rank rank, const std::string& text);
  void redraw(const orchestrator::Ledger& ledger, int width);
  void erase_block();
  std::string summary(const orchestrator::Ledger& ledger) const;
  std::string line_of(cluster::Rank rank, const RankLine& line) const;
  // Seconds until the last trial ends, from the work done since the start. Nothing at first.
  std::optional<double> time_left(const orchestrator::Ledger& ledger) const;

  const sweeps::Plan& plan_;
  const Clock::time_point start_;
  Clock::time_point now_;
  Clock::time_point last_drawn_;
  bool on_terminal_;
  int lines_drawn_ = 0;
  std::map<cluster::Rank, RankLine> ranks_;
  int passes_used_ = 0;  // of frozen bases, by all trials
  int passes_run_ = 0;
  std::optional<double> work_at_start_;  // done before this run
  std::string best_;                     // the best trial so far, for people
  double best_loss_ = 0;
};

}  // namespace ranksweep::cli
