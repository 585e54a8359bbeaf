#include "sweeps/trial_parameters.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "sweeps/architectures.h"
#include "sweeps/trial_values.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;

template <typename Value>
TrialParameter parameter(const char* name, Value TrialSpec::*member, Shape shape, const char* doc) {
  return {name,
          name,
          Block::training,
          name,
          doc,
          std::move(shape),
          [member](const TrialSpec& spec) { return encode(spec.*member); },
          [member](TrialSpec& spec, const json& value) { decode(value, spec.*member); },
          [member](TrialSpec& to, const TrialSpec& from) { to.*member = from.*member; },
          [member](const TrialSpec& a, const TrialSpec& b) { return a.*member == b.*member; }};
}

// A parameter that may be absent: null in the canonical form, and `word` in the file.
template <typename Value>
TrialParameter optional_parameter(const char* name, std::optional<Value> TrialSpec::*member,
                                  const char* word, Shape shape, const char* doc) {
  TrialParameter result =
      parameter(name, &TrialSpec::seed, {AnyOf{{{Nothing{word}}, std::move(shape)}}}, doc);
  result.get = [member](const TrialSpec& spec) {
    return spec.*member ? encode(*(spec.*member)) : json();
  };
  result.set = [member, word](TrialSpec& spec, const json& value) {
    (spec.*member).reset();
    if (!value.is_null() && value != word) decode(value, (spec.*member).emplace());
  };
  result.copy = [member](TrialSpec& to, const TrialSpec& from) { to.*member = from.*member; };
  result.equal = [member](const TrialSpec& a, const TrialSpec& b) {
    return a.*member == b.*member;
  };
  return result;
}

TrialParameter labelled(TrialParameter parameter, const char* label) {
  parameter.label = label;
  return parameter;
}

TrialParameter later(TrialParameter parameter) {
  parameter.identified_at_default = false;
  return parameter;
}

TrialParameter in_data(TrialParameter parameter, const char* block_name) {
  parameter.block = Block::data;
  parameter.block_name = block_name;
  return parameter;
}

TrialParameter class_weights() {
  TrialParameter result = parameter(
      "class_weights", &TrialSpec::seed,
      {AnyOf{{{Choice{{"none", "balanced"}}}, {List{{{Real{0, 1e6, Bound::open}}}, 2, 10000}}}}},
      "Weight of each class in the loss: balanced makes each class count the same, a list has one "
      "number a class in the order of their names");
  result.get = [](const TrialSpec& spec) -> json {
    if (spec.balanced_class_weights) return "balanced";
    if (spec.class_weights.empty()) return "none";
    return spec.class_weights;
  };
  result.set = [](TrialSpec& spec, const json& value) {
    spec.balanced_class_weights = value == "balanced";
    spec.class_weights.clear();
    if (value.is_array()) spec.class_weights = value.get<std::vector<double>>();
  };
  result.copy = [](TrialSpec& to, const TrialSpec& from) {
    to.class_weights = from.class_weights;
    to.balanced_class_weights = from.balanced_class_weights;
  };
  result.equal = [](const TrialSpec& a, const TrialSpec& b) {
    return a.class_weights == b.class_weights &&
           a.balanced_class_weights == b.balanced_class_weights;
  };
  return result;
}

TrialParameter devices() {
  static constexpr const char* kAuto = "auto";
  TrialParameter result = parameter(
      "devices", &TrialSpec::devices, {AnyOf{{{Choice{{kAuto}}}, {Whole{1, 64}}}}},
      "Devices that train the trial together, each with a part of every batch; on CPUs, ranks of "
      "one node; auto is 1 unless memory or a tail of idle devices speak for more");
  result.get = [](const TrialSpec& spec) -> json {
    if (spec.devices == kAutomaticDevices) return kAuto;
    return spec.devices;
  };
  result.set = [](TrialSpec& spec, const json& value) {
    spec.devices = value == kAuto ? kAutomaticDevices : value.get<int>();
  };
  return result;
}

// One of ours by its name, or a file that brings the base and its weights.
TrialParameter architecture() {
  const Mapping file{{{"torchscript",
                       "A file that tools/export_architecture.py wrote, relative to the sweep file",
                       {Text{"the path of a TorchScript file"}},
                       ""}}};
  TrialParameter result = parameter(
      "architecture", &TrialSpec::architecture, {AnyOf{{{Choice{architecture_names()}}, {file}}}},
      "The network's base; `ranksweep models` lists them with their sizes");
  result.set = [](TrialSpec& spec, const json& value) {
    if (value.is_object()) {
      spec.weights = value.at("torchscript").get<std::string>();
      spec.architecture = name_of_torchscript(*spec.weights);
    } else {
      spec.architecture = value.get<std::string>();
    }
  };
  result.copy = [](TrialSpec& to, const TrialSpec& from) {
    if (is_torchscript(from.architecture)) {
      to.weights = from.weights;
      to.weights_hash = from.weights_hash;
    } else if (is_torchscript(to.architecture)) {
      to.weights.reset();
      to.weights_hash.reset();
    }
    to.architecture = from.architecture;
  };
  result.equal = [](const TrialSpec& a, const TrialSpec& b) {
    return a.architecture == b.architecture &&
           (!is_torchscript(a.architecture) || a.weights_hash == b.weights_hash);
  };
  return result;
}

// The content is what counts: two paths of the same file are the same weights.
TrialParameter weights() {
  TrialParameter result = optional_parameter(
      "weights", &TrialSpec::weights, "none", {Text{"the path of a safetensors file"}},
      "Pretrained weights of the base, relative to the sweep file; none starts from random ones");
  result.copy = [](TrialSpec& to, const TrialSpec& from) {
    to.weights = from.weights;
    to.weights_hash = from.weights_hash;
  };
  // Those of a TorchScript file belong to the architecture.
  const auto given = [](const TrialSpec& spec) {
    return is_torchscript(spec.architecture) ? std::nullopt : spec.weights_hash;
  };
  result.equal = [given](const TrialSpec& a, const TrialSpec& b) { return given(a) == given(b); };
  return result;
}

std::vector<TrialParameter> make_parameters() {
  using T = TrialSpec;
  constexpr Real kAboveZero{0, std::numeric_limits<double>::infinity(), Bound::open};
  constexpr Real kFraction{0, 1, Bound::closed, Bound::open};
  constexpr Whole kEpoch{1, 100000};
  return {
      labelled(architecture(), ""),
      labelled(parameter("training", &T::training, {Choice{names_of<TrainingMode>()}},
                         "frozen trains the head alone on a fixed base, full trains all layers"),
               ""),
      labelled(parameter("learning_rate", &T::learning_rate, {kAboveZero},
                         "Step size of the optimizer, before the schedule"),
               "lr"),
      labelled(
          optional_parameter("base_learning_rate", &T::base_learning_rate, "none", {kAboveZero},
                             "The base's own learning rate when it is trained; none is the head's"),
          "base_lr"),
      optional_parameter("frozen_until", &T::frozen_until, "none",
                         {Text{"the name of a block", 100}},
                         "Blocks of the base before this one stay frozen"),
      optional_parameter("unfreeze_at_epoch", &T::unfreeze_at_epoch, "none", {kEpoch},
                         "A frozen base is trained from this epoch on"),
      labelled(
          parameter("augmentation", &T::augmentation, augmentation_shape(),
                    "Random changes to the training images: a preset, or the changes themselves"),
          ""),
      labelled(parameter("optimizer", &T::optimizer, {Choice{names_of<Optimizer>()}},
                         "The rule that turns gradients into steps; each with Keras' defaults"),
               ""),
      parameter("momentum", &T::momentum, {kFraction}, "Momentum of sgd and rmsprop"),
      parameter("weight_decay", &T::weight_decay, {Real{0, 1}},
                "L2 penalty on the weights; decoupled from the gradient in adamw"),
      labelled(parameter("batch_size", &T::batch_size, {Whole{1, 65536}},
                         "Images in one step, over all devices of the trial"),
               "batch"),
      parameter("epochs", &T::epochs, {kEpoch}, "Passes over the training images, at most"),
      parameter("early_stopping", &T::early_stopping, early_stopping_shape(),
                "Ends a trial whose validation loss no longer falls; false trains all epochs"),
      labelled(parameter("schedule", &T::schedule, schedule_shape(),
                         "How the learning rate changes from epoch to epoch"),
               ""),
      parameter("label_smoothing", &T::label_smoothing, {kFraction},
                "Share of each label that is spread over all classes"),
      class_weights(),
      parameter("head", &T::head, head_shape(), "The dense layers on top of the base"),
      parameter("dropout", &T::dropout, {kFraction}, "Share dropped before the head's last layer"),
      parameter("seed", &T::seed, {Whole{}},
                "Decides the head's first weights, dropout and the order of the images"),
      weights(),
      parameter("precision", &T::precision, {Choice{names_of<Precision>()}},
                "Number format of the computation; auto measures and records what it took"),
      parameter("memory_format", &T::memory_format, {Choice{names_of<MemoryFormat>()}},
                "Layout of images and feature maps; auto measures and records what it took"),
      later(devices()),
      later(parameter("sync_batch_norm", &T::sync_batch_norm, {Flag{}},
                      "Whether batch normalisation sees the whole batch, or each device's part "
                      "alone")),
      in_data(parameter("image_size", &T::image_size, image_size_shape(),
                        "Height and width in pixels that images are scaled to; one number for a "
                        "square"),
              "image_size"),
      in_data(optional_parameter("normalization", &T::normalization, "auto",
                                 {Choice{names_of<Normalization>()}},
                                 "How pixel values are scaled; auto is what the weights were made "
                                 "with"),
              "normalization"),
      in_data(parameter("data_seed", &T::data_seed, {Whole{}},
                        "Decides the random changes of augmentation"),
              "seed"),
  };
}

}  // namespace

const std::vector<TrialParameter>& trial_parameters() {
  static const std::vector<TrialParameter> parameters = make_parameters();
  return parameters;
}

const TrialParameter* find_trial_parameter(const std::string& name) {
  const auto& all = trial_parameters();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> trial_parameter_names() {
  std::vector<std::string> names;
  for (const TrialParameter& parameter : trial_parameters()) names.push_back(parameter.name);
  return names;
}

}  // namespace ranksweep::sweeps
