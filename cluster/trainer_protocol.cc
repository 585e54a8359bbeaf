#include "cluster/trainer_protocol.h"

#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include <fmt/format.h>

namespace ranksweep::sweeps {

void to_json(nlohmann::json& json, const TrialId& id) { json = id.hex(); }
void from_json(const nlohmann::json& json, TrialId& id) { id = TrialId(json.get<std::string>()); }

}  // namespace ranksweep::sweeps

namespace ranksweep::cluster {

NLOHMANN_JSON_SERIALIZE_ENUM(Decision, {{Decision::go_on, "go_on"}, {Decision::stop, "stop"}})

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Assign, attempt, trial, spec, data, directory, device, threads,
                                   checkpoint_interval, known_epochs, member, members, group,
                                   batch_parts, cuda_graphs)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GroupReady, attempt, token)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Verdict, attempt, epoch, decision)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stop, attempt)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Ready, version, program)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Skipped, attempt, file, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Started, attempt, resumed_from, parameters,
                                                precision, memory_format)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Progress, attempt, epoch, step, steps,
                                                images_per_second)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BasePasses, attempt, used, run)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GroupToken, attempt, token)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Finished, attempt)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Diverged, attempt, epoch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Failed, attempt, cause, message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stopped, attempt)

namespace {

// JSON has no NaN, which stands for what a trainer does not measure and is left out.
nlohmann::json metrics_to_json(const EpochDone& message) {
  const sweeps::EpochMetrics& metrics = message.metrics;
  nlohmann::json json = message.own_metrics;
  const auto add = [&](const char* name, double value) {
    if (!std::isnan(value)) json[name] = value;
  };
  add("train_loss", metrics.train_loss);
  add("train_accuracy", metrics.train_accuracy);
  add("val_accuracy", metrics.val_accuracy);
  add("learning_rate", metrics.learning_rate);
  json["epoch"] = metrics.epoch;
  json["val_loss"] = metrics.val_loss;
  json["seconds"] = metrics.seconds;
  json["data_wait_s"] = metrics.data_wait_s;
  json["validation_s"] = metrics.validation_s;
  json["train_images"] = metrics.train_images;
  json["val_images"] = metrics.val_images;
  json["val_classes_predicted"] = metrics.val_classes_predicted;
  json["peak_memory_bytes"] = metrics.peak_memory_bytes;
  return json;
}

// Takes metrics out of an object; what is left are the trainer's own.
class MetricsReader {
 public:
  explicit MetricsReader(nlohmann::json metrics) : metrics_(std::move(metrics)) {}

  template <class Number>
  Number take(const char* name) {
    const Number number = metrics_.at(name);
    metrics_.erase(name);
    return number;
  }
  template <class Number>
  Number take(const char* name, Number without) {
    return metrics_.contains(name) ? take<Number>(name) : without;
  }
  std::map<std::string, double> rest() const { return metrics_; }

 private:
  nlohmann::json metrics_;
};

}  // namespace

void to_json(nlohmann::json& json, const EpochDone& message) {
  json = {{"attempt", message.attempt}, {"metrics", metrics_to_json(message)}};
}
void from_json(const nlohmann::json& json, EpochDone& message) {
  constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
  MetricsReader metrics(json.at("metrics"));
  message = {.attempt = json.at("attempt"),
             .metrics = {.epoch = metrics.take<int>("epoch"),
                         .train_loss = metrics.take("train_loss", kNotMeasured),
                         .train_accuracy = metrics.take("train_accuracy", kNotMeasured),
                         .val_loss = metrics.take<double>("val_loss"),
                         .val_accuracy = metrics.take("val_accuracy", kNotMeasured),
                         .learning_rate = metrics.take("learning_rate", kNotMeasured),
                         .seconds = metrics.take<double>("seconds"),
                         .data_wait_s = metrics.take("data_wait_s", 0.0),
                         .validation_s = metrics.take("validation_s", 0.0),
                         .train_images = metrics.take("train_images", 0),
                         .val_images = metrics.take("val_images", 0),
                         .val_classes_predicted = metrics.take("val_classes_predicted", 0),
                         .peak_memory_bytes = metrics.take("peak_memory_bytes", std::int64_t{0})}};
  message.own_metrics = metrics.rest();
}

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
