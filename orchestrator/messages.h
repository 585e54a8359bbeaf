#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cluster/gpus.h"
#include "cluster/trainer_protocol.h"
#include "sweeps/trial_history.h"

// What the coordinator and its agents tell one another: the trainer protocol, passed on, and little
// more.
namespace ranksweep::orchestrator {

// An agent to the coordinator.

struct Hello {  // first, and again after Rejoin: this rank can train, and trains nothing
  std::string host;
  std::string device;  // "cpu", "cuda:0"
  int threads = 1;     // of each trainer
  cluster::Gpu gpu;    // that the device is; without a name on a CPU
};

// The cause of an attempt that could not write its files: no fault of its trial, and the sweep
// stops (docs/trainer_protocol.md).
inline constexpr const char* kStorage = "storage";
// The cause of one that was asked to stop, and did.
inline constexpr const char* kStopped = "stopped on request";

struct AttemptBroken {  // the attempt is over, and not by the trainer's own good end
  sweeps::AttemptId attempt = 0;
  sweeps::AttemptOutcome outcome = sweeps::AttemptOutcome::lost;  // lost or failed
  std::string cause;
  std::string message;
  std::string output_tail;  // last lines that the trainer printed
};

struct Heartbeat {};  // once a second: this rank lives; answered by LeaseRenewed or Rejoin

using AgentMessage = std::variant<Hello, cluster::Report, AttemptBroken, Heartbeat>;

// The coordinator to an agent.

struct Abandon {  // kill the trainer of this attempt; answered by AttemptBroken, in any case
  sweeps::AttemptId attempt = 0;
  std::string cause;  // for the answer
  std::string message;
};

struct Shutdown {           // end the trainer and leave
  bool ranks_lost = false;  // then MPI_Finalize, which waits for all ranks, would wait for ever
};

struct LeaseRenewed {  // the coordinator lives
  double seconds = 0;  // of silence after which it counts as lost
};

struct UseTrainer {  // from now on, in place of the built-in one
  std::vector<std::string> command;
  std::string folder;  // where it is started
};

struct Rejoin {};  // this rank was given up: kill the trainer and say hello again

using CoordinatorMessage =
    std::variant<cluster::Command, Abandon, Shutdown, LeaseRenewed, Rejoin, UseTrainer>;

// On the wire: a word that names the kind, a newline, a JSON object.
std::string encode(const AgentMessage&);
std::string encode(const CoordinatorMessage&);

// Whom a message is for. On rank 0 both live in one process.
enum class Recipient { coordinator, agent };
Recipient recipient_of(const std::string& wire);

// Throw cluster::ProtocolError.
AgentMessage decode_agent_message(const std::string& wire);
CoordinatorMessage decode_coordinator_message(const std::string& wire);

}  // namespace ranksweep::orchestrator
