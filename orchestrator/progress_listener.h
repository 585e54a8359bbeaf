#pragma once

#include <optional>
#include <string>

#include "cluster/trainer_protocol.h"
#include "cluster/transport.h"
#include "orchestrator/ledger.h"

namespace ranksweep::orchestrator {

// Hears what happens in a sweep, after it is durable. For displays; must not throw.
class ProgressListener {
 public:
  ProgressListener() = default;
  ProgressListener(const ProgressListener&) = delete;
  ProgressListener& operator=(const ProgressListener&) = delete;
  virtual ~ProgressListener() = default;

  virtual void rank_joined(cluster::Rank rank, const Placement& placement) = 0;
  // `resumed_from` epochs are there already.
  virtual void attempt_started(cluster::Rank rank, const TrialRecord& trial, int resumed_from) = 0;
  virtual void progressed(cluster::Rank rank, const TrialRecord& trial,
                          const cluster::Progress& progress) = 0;
  virtual void base_ran(const cluster::BasePasses& passes) = 0;
  virtual void epoch_done(cluster::Rank rank, const TrialRecord& trial) = 0;
  virtual void attempt_ended(cluster::Rank rank, const TrialRecord& trial,
                             const Ending& ending) = 0;
  // Its device is given no more trials.
  virtual void rank_quarantined(cluster::Rank rank, const std::string& message) = 0;
  // The database cannot be written for now. Training goes on and results wait; nothing is lost.
  virtual void storage_troubled(const std::string& problem) = 0;
  virtual void storage_recovered() = 0;
};

}  // namespace ranksweep::orchestrator
