#include "orchestrator/messages.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ranksweep::cluster {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Gpu, name, near)

}  // namespace ranksweep::cluster

namespace ranksweep::orchestrator {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Hello, host, device, threads, gpu)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Abandon, attempt, cause, message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Shutdown, ranks_lost)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LeaseRenewed, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(UseTrainer, command, folder)

namespace {

constexpr std::string_view kHello = "hello";
constexpr std::string_view kReport = "report";
constexpr std::string_view kBroken = "broken";
constexpr std::string_view kHeartbeat = "heartbeat";
constexpr std::string_view kCommand = "command";
constexpr std::string_view kAbandon = "abandon";
constexpr std::string_view kShutdown = "shutdown";
constexpr std::string_view kLeaseRenewed = "lease_renewed";
constexpr std::string_view kRejoin = "rejoin";
constexpr std::string_view kUseTrainer = "use_trainer";

std::string join(std::string_view kind, std::string_view body) {
  return fmt::format("{}\n{}", kind, body);
}

std::pair<std::string_view, std::string_view> split(std::string_view wire) {
  const std::size_t newline = wire.find('\n');
  if (newline == std::string_view::npos) {
    throw cluster::ProtocolError("a message between ranks has no kind");
  }
  return {wire.substr(0, newline), wire.substr(newline + 1)};
}

std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json to_json(const AttemptBroken& broken) {
  return {{"attempt", broken.attempt},
          {"outcome", sweeps::name_of(broken.outcome)},
          {"cause", broken.cause},
          {"message", broken.message},
          {"output_tail", broken.output_tail}};
}

AttemptBroken broken_from(const nlohmann::json& json) {
  return {.attempt = json.at("attempt"),
          .outcome = sweeps::attempt_outcome_from(json.at("outcome")),
          .cause = json.at("cause"),
          .message = json.at("message"),
          .output_tail = json.at("output_tail")};
}

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

[[noreturn]] void refuse(std::string_view kind) {
  throw cluster::ProtocolError(fmt::format("no message between ranks is of the kind '{}'", kind));
}

template <class Parse>
auto parsed(std::string_view kind, std::string_view body, Parse parse) {
  try {
    return parse(nlohmann::json::parse(body));
  } catch (const std::exception& error) {  // no JSON, or a key that is missing or of another type
    throw cluster::ProtocolError(fmt::format("message '{}': {}", kind, error.what()));
  }
}

}  // namespace

std::string encode(const AgentMessage& message) {
  return std::visit(
      Overloaded{[](const Hello& hello) { return join(kHello, dump(nlohmann::json(hello))); },
                 [](const cluster::Report& report) { return join(kReport, encode(report)); },
                 [](const AttemptBroken& broken) { return join(kBroken, dump(to_json(broken))); },
                 [](const Heartbeat&) { return join(kHeartbeat, "{}"); }},
      message);
}

std::string encode(const CoordinatorMessage& message) {
  return std::visit(
      Overloaded{
          [](const cluster::Command& command) { return join(kCommand, encode(command)); },
          [](const Abandon& abandon) { return join(kAbandon, dump(nlohmann::json(abandon))); },
          [](const Shutdown& shutdown) { return join(kShutdown, dump(nlohmann::json(shutdown))); },
          [](const LeaseRenewed& renewed) {
            return join(kLeaseRenewed, dump(nlohmann::json(renewed)));
          },
          [](const Rejoin&) { return join(kRejoin, "{}"); },
          [](const UseTrainer& use) { return join(kUseTrainer, dump(nlohmann::json(use))); }},
      message);
}

Recipient recipient_of(const std::string& wire) {
  const std::string_view kind = split(wire).first;
  const bool from_agent =
      kind == kHello || kind == kReport || kind == kBroken || kind == kHeartbeat;
  return from_agent ? Recipient::coordinator : Recipient::agent;
}

AgentMessage decode_agent_message(const std::string& wire) {
  const auto [kind, body] = split(wire);
  if (kind == kHello) {
    return parsed(kind, body, [](const nlohmann::json& json) { return json.get<Hello>(); });
  }
  if (kind == kReport) {
    return cluster::decode_report(body);
  }
  if (kind == kBroken) {
    return parsed(kind, body, broken_from);
  }
  if (kind == kHeartbeat) {
    return Heartbeat{};
  }
  refuse(kind);
}

CoordinatorMessage decode_coordinator_message(const std::string& wire) {
  const auto [kind, body] = split(wire);
  if (kind == kCommand) {
    return cluster::decode_command(body);
  }
  if (kind == kAbandon) {
    return parsed(kind, body, [](const nlohmann::json& json) { return json.get<Abandon>(); });
  }
  if (kind == kShutdown) {
    return parsed(kind, body, [](const nlohmann::json& json) { return json.get<Shutdown>(); });
  }
  if (kind == kLeaseRenewed) {
    return parsed(kind, body, [](const nlohmann::json& json) { return json.get<LeaseRenewed>(); });
  }
  if (kind == kRejoin) {
    return Rejoin{};
  }
  if (kind == kUseTrainer) {
    return parsed(kind, body, [](const nlohmann::json& json) { return json.get<UseTrainer>(); });
  }
  refuse(kind);
}

}  // namespace ranksweep::orchestrator
