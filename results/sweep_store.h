#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "sweeps/predictions.h"
#include "sweeps/trial_history.h"
#include "sweeps/trial_id.h"

namespace ranksweep::results {

// What the coordinator wants remembered. Each is a plain value, so that a batch of them can be
// committed at once, kept for later, or compared in a test.

struct AttemptStarted {  // the trial becomes running
  sweeps::AttemptId attempt = 0;
  sweeps::TrialId trial;
  int rank = 0;
  std::string host;
  std::string device;  // "cpu", "cuda:0"
  int threads = 0;
};

struct MemberAssigned {  // of an attempt on several devices, the leader (member 0) included
  sweeps::AttemptId attempt = 0;
  int member = 0;
  int rank = 0;
  std::string host;
  std::string device;
};

struct AttemptDescribed {  // what the trainer chose to run with; empty when it does not say
  sweeps::AttemptId attempt = 0;
  std::string precision;
  std::string memory_format;
};

struct EpochRecorded {  // replaces a row of the same trial and epoch
  sweeps::AttemptId attempt = 0;
  sweeps::TrialId trial;
  sweeps::EpochMetrics metrics;
  std::map<std::string, double> own_metrics = {};  // the trainer's own, by name; finite
};

struct PredictionsKept {  // of the validation images, at an epoch that is recorded
  sweeps::TrialId trial;
  int epoch = 0;
  sweeps::Predictions predictions;
};

struct TestEvaluated {  // the test split, on the weights of an epoch that is recorded
  sweeps::TrialId trial;
  int epoch = 0;
  double loss = 0;
  double accuracy = 0;
  int classes_predicted = 0;
  sweeps::Predictions predictions;
};

struct EpochsDiscarded {  // a resumed attempt trains the epochs after `last_kept` again
  sweeps::TrialId trial;
  int last_kept = 0;
};

struct AttemptEnded {
  sweeps::AttemptId attempt = 0;
  sweeps::TrialId trial;
  sweeps::AttemptOutcome outcome = sweeps::AttemptOutcome::lost;
  sweeps::TrialState trial_state = sweeps::TrialState::pending;  // what the trial becomes
  std::string cause;    // one word or phrase, "signal 9 (SIGKILL)", "out of memory"; may be empty
  std::string message;  // for people; may be empty
  std::string stderr_tail;      // last lines of the trainer's stderr; may be empty
  std::int64_t parameters = 0;  // of the network; 0 when not known
};

struct AttemptExcused {  // its device was at fault: it counts towards max_attempts no more
  sweeps::AttemptId attempt = 0;
  sweeps::TrialId trial;
  sweeps::TrialState trial_state = sweeps::TrialState::pending;  // what the trial is now
};

// How long a training step of some kind takes in a precision and a memory format. It decides what
// trials run with that leave this to be measured, so the first word counts.
struct StepMeasured {
  std::string architecture;
  std::string training;  // "full", or "frozen": the base's pass alone
  std::array<int, 2> image_size = {};
  int batch_size = 0;  // of each device; of no meaning for a frozen base
  std::string precision;
  std::string memory_format;
  std::string device;  // where it was measured, with so many threads
  int threads = 0;
  std::optional<double> seconds;  // none: the device does not compute in that precision
};

struct FileSkipped {   // told again by each trainer; the first word counts
  std::string file;    // relative to the data set's folder
  std::string reason;  // completes a sentence
};

struct EventNoted {  // "rank 3 joined", "interrupted by SIGTERM"
  std::string kind;
  int rank = 0;
  std::string message;
};

using Change = std::variant<AttemptStarted, MemberAssigned, AttemptDescribed, EpochRecorded,
                            PredictionsKept, TestEvaluated, EpochsDiscarded, AttemptEnded,
                            AttemptExcused, StepMeasured, FileSkipped, EventNoted>;

// What the store knows of a trial of the plan when a sweep starts or goes on.
struct StoredTrial {
  sweeps::TrialId id;
  sweeps::TrialState state = sweeps::TrialState::pending;
  int failed_attempts = 0;  // outcomes `failed` and `lost` that count towards max_attempts
  int out_of_memory = 0;    // attempts that failed so
  std::optional<sweeps::AttemptId> open_attempt;  // begun and never ended: its coordinator died
  std::vector<sweeps::EpochMetrics> epochs;       // in order, without gaps; none once it has ended
};

// The durable truth about one sweep, as the coordinator sees it. One writer at a time.
class SweepStore {
 public:
  SweepStore() = default;
  SweepStore(const SweepStore&) = delete;
  SweepStore& operator=(const SweepStore&) = delete;
  virtual ~SweepStore() = default;

  // The plan's trials in the plan's order.
  virtual std::vector<StoredTrial> load_trials() = 0;
  // The first attempt number that was never given out.
  virtual sweeps::AttemptId next_attempt() = 0;
  // All of `changes` or none, and durable on return. Throws StoreError. After a StoreUnavailable
  // nobody knows which: the next commit begins with the same changes, which happen once.
  virtual void commit(std::span<const Change> changes) = 0;
};

// The store could not be opened, read or written. The message says what to do.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A StoreError that is the environment's fault, not the file's or the user's: a full disk, a place
// that cannot be written, a database that another program holds.
class StoreUnavailable : public StoreError {
 public:
  using StoreError::StoreError;
};

}  // namespace ranksweep::results
