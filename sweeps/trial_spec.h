#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sweeps/trial_id.h"

namespace ranksweep::sweeps {

enum class TrainingMode { frozen, full };
enum class Optimizer { rmsprop, sgd, adam, adamw };
enum class Pooling { average, max, flatten };
enum class Normalization { scale_0_1, imagenet, minus1_1, caffe };
// Numbers of the computation; weights and sums are in float32 with all of them. `tf32`: a GPU
// multiplies with 10 bits of the mantissa, as TensorFloat-32 has; elsewhere it is float32.
enum class Precision { automatic, float32, tf32, bfloat16, float16 };
enum class MemoryFormat { automatic, contiguous, channels_last };
// A number of devices that is settled before the first trial.
inline constexpr int kAutomaticDevices = 0;
// That a device computes at once of a batch of several: of one image, batch normalisation cannot
// tell a variance.
inline constexpr int kFewestImages = 2;
enum class FillMode { nearest, constant, reflect, wrap };

// Random changes to a training image, with the meaning and the ranges of Keras'
// ImageDataGenerator. Angles in degrees; shifts as fractions of height and width; zoom and
// brightness as factors drawn from [first, second]; channel shift in units of 0..255.
struct Augmentation {
  double rotation = 0;
  double width_shift = 0;
  double height_shift = 0;
  double shear = 0;
  std::array<double, 2> zoom = {1, 1};
  std::array<double, 2> brightness = {1, 1};
  double channel_shift = 0;
  bool horizontal_flip = false;
  bool vertical_flip = false;
  FillMode fill_mode = FillMode::nearest;
  double fill_value = 0;  // for FillMode::constant, 0..255

  bool operator==(const Augmentation&) const = default;
};

// Stops a trial when the validation loss has not gone down by more than `min_delta` for `patience`
// epochs in a row, as Keras' EarlyStopping does.
struct EarlyStopping {
  int patience = 10;
  double min_delta = 0;

  bool operator==(const EarlyStopping&) const = default;
};

// How the learning rate changes from epoch to epoch. `epoch` counts from 1.
struct ConstantSchedule {
  bool operator==(const ConstantSchedule&) const = default;
};
struct StepSchedule {  // multiplied by `factor` after every `every` epochs
  int every = 10;
  double factor = 0.1;
  bool operator==(const StepSchedule&) const = default;
};
struct CosineSchedule {  // linear warm-up, then half a cosine down to `minimum` times the rate
  int warmup_epochs = 0;
  double minimum = 0;
  bool operator==(const CosineSchedule&) const = default;
};
struct PlateauSchedule {  // multiplied by `factor` when the validation loss stalls, as Keras'
  int patience = 5;       // ReduceLROnPlateau
  double factor = 0.1;
  double min_delta = 1e-4;
  bool operator==(const PlateauSchedule&) const = default;
};
using Schedule = std::variant<ConstantSchedule, StepSchedule, CosineSchedule, PlateauSchedule>;

// The custom dense head on the convolutional base.
struct Head {
  Pooling pooling = Pooling::average;
  std::vector<int> dense = {256};  // widths of the hidden layers, ReLU after each

  bool operator==(const Head&) const = default;
};

// Everything that decides what a trial computes, and nothing else: not where it runs, not where its
// files lie. One point of a sweep.
struct TrialSpec {
  std::string architecture;
  TrainingMode training = TrainingMode::full;
  double learning_rate = 1e-3;
  std::optional<double> base_learning_rate;  // the base's own rate when training is full
  std::optional<std::string> frozen_until;   // blocks before this one stay frozen
  std::optional<int> unfreeze_at_epoch;      // a frozen base is retrained from this epoch on
  Augmentation augmentation;
  Optimizer optimizer = Optimizer::rmsprop;
  double momentum = 0;
  double weight_decay = 0;
  int batch_size = 10;
  int epochs = 30;
  std::optional<EarlyStopping> early_stopping = EarlyStopping{};
  Schedule schedule;
  double label_smoothing = 0;
  std::vector<double> class_weights;  // one a class in the order of names; empty: all equal
  bool balanced_class_weights = false;
  Head head;
  double dropout = 0.5;        // before the last layer of the head
  std::int64_t seed = 0;       // weights of the head, dropout, order of images
  std::int64_t data_seed = 0;  // augmentation: a function of (data_seed, epoch, image)
  std::array<int, 2> image_size = {150, 150};  // height, width
  std::optional<Normalization> normalization;  // none: the one that fits the weights
  std::optional<std::string> weights;          // absolute path of a safetensors file
  std::optional<std::string> weights_hash;     // of its content: identity, not the path
  Precision precision = Precision::float32;
  MemoryFormat memory_format = MemoryFormat::automatic;
  // Trainers that train it together, each with a part of every batch, or kAutomaticDevices.
  int devices = 1;
  bool sync_batch_norm = false;  // batch normalisation over the whole batch, not each one's part

  bool operator==(const TrialSpec&) const = default;
};

// The canonical form: every parameter by its name in the sweep file, defaults included, an
// augmentation that equals a preset as the preset's name. from_json(to_json(x)) == x.
// from_json throws std::invalid_argument, naming the parameter, for what is no TrialSpec.
nlohmann::json to_canonical_json(const TrialSpec&);
TrialSpec trial_spec_from_json(const nlohmann::json&);

// The identity of `spec` on the data with `data_fingerprint`. The path of the weights is left out,
// the hash of their content is in.
TrialId identify(const TrialSpec& spec, const std::string& data_fingerprint);

// The named augmentations: none, flip, standard, strong. Null when there is no such preset.
const Augmentation* find_augmentation_preset(const std::string& name);

}  // namespace ranksweep::sweeps
