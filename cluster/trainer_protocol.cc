#include "cluster/trainer_protocol.h"

#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include <fmt/format.h>

namespace ranksweep::sweeps {

void to_json(nlohmann::json& json, const TrialId& id) { json = id.hex(); }
void from_json(const nlohmann::json& json, TrialId& id) { id = TrialId(json.get<std::string>()); }

namespace {

double number_or_nan(const nlohmann::json& json, const char* name) {
  const auto number = json.find(name);
  return number == json.end() ? std::numeric_limits<double>::quiet_NaN() : number->get<double>();
}

}  // namespace

// JSON has no NaN: what a trainer does not measure is left out.
void to_json(nlohmann::json& json, const EpochMetrics& metrics) {
  json = {{"epoch", metrics.epoch},
          {"val_loss", metrics.val_loss},
          {"seconds", metrics.seconds},
          {"data_wait_s", metrics.data_wait_s},
          {"train_images", metrics.train_images},
          {"val_images", metrics.val_images},
          {"val_classes_predicted", metrics.val_classes_predicted}};
  const auto add_if_measured = [&](const char* name, double value) {
    if (!std::isnan(value)) json[name] = value;
  };
  add_if_measured("train_loss", metrics.train_loss);
  add_if_measured("train_accuracy", metrics.train_accuracy);
  add_if_measured("val_accuracy", metrics.val_accuracy);
  add_if_measured("learning_rate", metrics.learning_rate);
}

void from_json(const nlohmann::json& json, EpochMetrics& metrics) {
  metrics = {.epoch = json.at("epoch"),
             .train_loss = number_or_nan(json, "train_loss"),
             .train_accuracy = number_or_nan(json, "train_accuracy"),
             .val_loss = json.at("val_loss"),
             .val_accuracy = number_or_nan(json, "val_accuracy"),
             .learning_rate = number_or_nan(json, "learning_rate"),
             .seconds = json.at("seconds"),
             .data_wait_s = json.value("data_wait_s", 0.0),
             .train_images = json.value("train_images", 0),
             .val_images = json.value("val_images", 0),
             .val_classes_predicted = json.value("val_classes_predicted", 0)};
}

}  // namespace ranksweep::sweeps

namespace ranksweep::cluster {

NLOHMANN_JSON_SERIALIZE_ENUM(Decision, {{Decision::go_on, "go_on"}, {Decision::stop, "stop"}})

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Assign, attempt, trial, spec, data, directory, device, threads,
                                   checkpoint_interval, known_epochs, member, members)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GroupReady, attempt, token)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Verdict, attempt, epoch, decision)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stop, attempt)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Ready, version, program)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Skipped, attempt, file, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Started, attempt, resumed_from, parameters,
                                                precision, memory_format)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Progress, attempt, epoch, step, steps,
                                                images_per_second)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EpochDone, attempt, metrics)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BasePasses, attempt, used, run)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GroupToken, attempt, token)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Finished, attempt)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Diverged, attempt, epoch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Failed, attempt, cause, message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stopped, attempt)

// The predictions stand beside the other fields.
void to_json(nlohmann::json& json, const Predicted& message) {
  json = sweeps::to_json(message.predictions);
  json["attempt"] = message.attempt;
  json["epoch"] = message.epoch;
}
void from_json(const nlohmann::json& json, Predicted& message) {
  message = {.attempt = json.at("attempt"),
             .epoch = json.at("epoch"),
             .predictions = sweeps::predictions_from_json(json)};
}

namespace {

// The "type" of each message on the wire.
template <class Message>
inline constexpr const char* kType = nullptr;
template <>
inline constexpr const char* kType<Assign> = "assign";
template <>
inline constexpr const char* kType<GroupReady> = "group_ready";
template <>
inline constexpr const char* kType<Verdict> = "verdict";
template <>
inline constexpr const char* kType<Stop> = "stop";
template <>
inline constexpr const char* kType<Ready> = "ready";
template <>
inline constexpr const char* kType<Skipped> = "skipped";
template <>
inline constexpr const char* kType<GroupToken> = "group_token";
template <>
inline constexpr const char* kType<Started> = "started";
template <>
inline constexpr const char* kType<Progress> = "progress";
template <>
inline constexpr const char* kType<EpochDone> = "epoch";
template <>
inline constexpr const char* kType<BasePasses> = "base_passes";
template <>
inline constexpr const char* kType<Predicted> = "predictions";
template <>
inline constexpr const char* kType<Finished> = "finished";
template <>
inline constexpr const char* kType<Diverged> = "diverged";
template <>
inline constexpr const char* kType<Failed> = "failed";
template <>
inline constexpr const char* kType<Stopped> = "stopped";

template <class... Messages>
std::string encode_variant(const std::variant<Messages...>& message) {
  return std::visit(
      [](const auto& content) {
        nlohmann::json json = content;
        json["type"] = kType<std::decay_t<decltype(content)>>;
        // Text from outside (a path, a library's message) may be no UTF-8; it must not end a trial.
        return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      },
      message);
}

// The start of a line, fit for an error message.
std::string excerpt(std::string_view line) {
  constexpr std::size_t kLength = 80;
  return line.size() <= kLength ? std::string(line) : std::string(line.substr(0, kLength)) + "...";
}

template <class... Messages>
std::variant<Messages...> decode_variant(std::string_view line, std::variant<Messages...>*) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    throw ProtocolError(fmt::format("not a JSON object: {}", excerpt(line)));
  }
  const std::string type = json.value("type", nlohmann::json()).is_string()
                               ? json["type"].get<std::string>()
                               : std::string();
  std::optional<std::variant<Messages...>> message;
  try {
    const auto read_if_it_is = [&]<class Message>(std::type_identity<Message>) {
      if (type == kType<Message>) {
        message = json.get<Message>();
      }
    };
    (read_if_it_is(std::type_identity<Messages>()), ...);
  } catch (const std::exception& error) {  // a key that is missing, or of another type
    throw ProtocolError(fmt::format("message '{}': {}", type, error.what()));
  }
  if (!message) {
    throw ProtocolError(fmt::format("no message has the type '{}': {}", type, excerpt(line)));
  }
  return *std::move(message);
}

}  // namespace

std::string encode(const Command& command) { return encode_variant(command); }
std::string encode(const Report& report) { return encode_variant(report); }

Command decode_command(std::string_view line) {
  return decode_variant(line, static_cast<Command*>(nullptr));
}
Report decode_report(std::string_view line) {
  return decode_variant(line, static_cast<Report*>(nullptr));
}

}  // namespace ranksweep::cluster
