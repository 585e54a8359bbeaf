#pragma once

#include <string>

#include "worker/trainer/agent_link.h"

namespace ranksweep::worker {

// Trains one trial after the other, as the agent at the other end says, until it goes away.
// `program` is how the trainer introduces itself. Throws cluster::ProtocolError.
void serve(AgentLink& agent, const std::string& program);

}  // namespace ranksweep::worker
