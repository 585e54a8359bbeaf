#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "sweeps/predictions.h"
#include "sweeps/trial_history.h"
#include "sweeps/trial_id.h"

// The trainer protocol, version 1: one JSON object a line, both ways, over the socket at descriptor
// 3 of a trainer. docs/trainer_protocol.md describes it for writers of trainers in any language.
namespace ranksweep::cluster {

inline constexpr int kProtocolVersion = 1;
inline constexpr int kTrainerSocket = 3;

// What an agent tells its trainer. The socket's end of file means: exit.

struct Assign {  // train this trial now
  sweeps::AttemptId attempt = 0;
  sweeps::TrialId trial;
  nlohmann::json spec;    // canonical TrialSpec
  nlohmann::json data;    // DataSpec, and "fingerprint"
  std::string directory;  // for checkpoints: exists, belongs to the trial alone
  std::string device;     // "cpu", "cuda:0"
  int threads = 1;
  double checkpoint_interval = 60;  // seconds
  int known_epochs = 0;  // epochs the coordinator has: report those after it, again if need be
  int member = 0;        // of the group that trains the trial together; 0 leads
  int members = 1;
  // The attempt that its group was made for: this one, or an earlier one of the same members, who
  // still have it.
  sweeps::AttemptId group = 0;
  int batch_parts = 1;       // a batch is computed in so many parts, one after the other
  bool cuda_graphs = false;  // as the sweep has it
};

struct GroupReady {  // to the members but the leader: what lets them into a group of this attempt
  sweeps::AttemptId attempt = 0;
  std::string token;  // as the leader gave it
};

enum class Decision { go_on, stop };  // stop: the trial is complete (early stopping, last epoch)

struct Verdict {  // the answer to an epoch, which is durable by now
  sweeps::AttemptId attempt = 0;
  int epoch = 0;
  Decision decision = Decision::go_on;
};

struct Stop {  // write a resume state, report Stopped, take no further step
  sweeps::AttemptId attempt = 0;
};

using Command = std::variant<Assign, GroupReady, Verdict, Stop>;

// What a trainer tells its agent.

struct Ready {  // once, first
  int version = kProtocolVersion;
  std::string program;  // "ranksweep-trainer 0.1.0, LibTorch 2.11.0"
};

struct Skipped {  // before Started, once for each image that on_bad_file: skip leaves out
  sweeps::AttemptId attempt = 0;
  std::string file;    // relative to the data set's folder
  std::string reason;  // completes a sentence
};

struct GroupToken {  // from the leader of a group of this attempt, once it can be joined
  sweeps::AttemptId attempt = 0;
  std::string token;  // opaque
};

struct Started {
  sweeps::AttemptId attempt = 0;
  int resumed_from = 0;         // later epochs will be reported, again if need be; 0: all
  std::int64_t parameters = 0;  // of the network
  std::string precision;        // what it runs with; empty when the trainer does not say
  std::string memory_format;
};

struct Progress {  // at most a few a second; proves that the trainer lives
  sweeps::AttemptId attempt = 0;
  int epoch = 0;
  int step = 0;
  int steps = 0;
  double images_per_second = 0;
};

struct EpochDone {  // the trainer waits for the Verdict
  sweeps::AttemptId attempt = 0;
  sweeps::EpochMetrics metrics;                    // NaN or 0 for what the trainer does not measure
  std::map<std::string, double> own_metrics = {};  // finite, by a name that `metrics` does not have
};

// Before the end of a trial with a frozen base: how many passes of the base over a set of images
// the trial used, and how many the trainer ran meanwhile, for it or for others.
struct BasePasses {
  sweeps::AttemptId attempt = 0;
  int used = 0;
  int run = 0;
};

struct Predicted {  // after Verdict{stop}, before Finished, if wanted: of the validation images
  sweeps::AttemptId attempt = 0;
  int epoch = 0;  // the best one
  sweeps::Predictions predictions;
};

struct Finished {  // after Verdict{stop}: the best weights are complete on disk
  sweeps::AttemptId attempt = 0;
};

struct Diverged {  // the loss of `epoch` is NaN or infinite
  sweeps::AttemptId attempt = 0;
  int epoch = 0;
};

struct Failed {
  sweeps::AttemptId attempt = 0;
  std::string cause;    // "data", sweeps::kOutOfMemory, "checkpoint", "internal"
  std::string message;  // for people: place, reason, remedy
};

struct Stopped {  // after Stop; the resume state is on disk
  sweeps::AttemptId attempt = 0;
};

using Report = std::variant<Ready, Skipped, GroupToken, Started, Progress, EpochDone, BasePasses,
                            Predicted, Finished, Diverged, Failed, Stopped>;

// A line that is no message of the protocol: what() says why.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One line, without the newline. Numbers are finite: JSON has no NaN, and a loss that became one is
// reported as Diverged.
std::string encode(const Command&);
std::string encode(const Report&);
// Throw ProtocolError.
Command decode_command(std::string_view line);
Report decode_report(std::string_view line);

}  // namespace ranksweep::cluster
