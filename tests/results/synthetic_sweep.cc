#include "tests/results/synthetic_sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <random>

#include <fmt/format.h>

#include "results/sqlite_store.h"
#include "results/text.h"

namespace ranksweep::results::testing {
namespace {

using sweeps::AttemptOutcome;
using sweeps::EpochMetrics;
using sweeps::PlannedTrial;
using sweeps::TrialState;

struct ArchitectureTraits {
  const char* name;
  std::int64_t parameters;
  double seconds;  // of an epoch
  double floor;    // of the validation loss
};
constexpr std::array<ArchitectureTraits, 5> kArchitectures = {{
    {"simple_cnn", 1'212'513, 11.5, 0.28},
    {"vgg16", 14'846'273, 302, 0.12},
    {"inception_v3", 22'327'585, 111, 0.01},
    {"resnet50", 24'112'513, 201, 0.03},
    {"inception_resnet_v2", 54'730'209, 256, 0.002},
}};
constexpr std::array<double, 2> kLearningRates = {1e-3, 1e-4};
constexpr std::array<const char*, 4> kAugmentations = {"none", "flip", "standard", "strong"};

constexpr int kValidationImages = 100;

const ArchitectureTraits& traits_of(const PlannedTrial& trial) {
  return *std::find_if(kArchitectures.begin(), kArchitectures.end(),
                       [&](const auto& traits) { return traits.name == trial.spec.architecture; });
}

// What will happen to a trial: most go well.
enum class Fate { well, retried, collapsed, diverged, failed, running, pending };

Fate fate_of(std::size_t index, const SyntheticSweep& sweep) {
  const std::size_t count = static_cast<std::size_t>(sweep.trials);
  if (!sweep.complete && index + 3 >= count) return Fate::pending;
  if (!sweep.complete && index + 5 >= count) return Fate::running;
  switch (index % 20) {
    case 3:
      return Fate::retried;
    case 6:
      return Fate::collapsed;
    case 11:
      return Fate::diverged;
    case 17:
      return Fate::failed;
    default:
      return Fate::well;
  }
}

// Trials go to the rank that is free first, as in a real sweep.
class Historian {
 public:
  explicit Historian(const SyntheticSweep& sweep)
      : sweep_(sweep), random_(sweep.seed), free_at_(static_cast<std::size_t>(sweep.ranks)) {}

  void tell(const PlannedTrial& trial, Fate fate) {
    if (fate == Fate::pending) return;
    if (fate == Fate::failed) {
      for (int i = 0; i < 3; ++i) fail(trial, i == 2 ? TrialState::failed : TrialState::pending);
      return;
    }
    if (fate == Fate::retried) fail(trial, TrialState::pending);
    train(trial, fate);
  }

  // Each rank that is free has nothing to do from its last attempt on.
  void leave() {
    for (std::size_t rank = 0; rank < free_at_.size(); ++rank) {
      if (free_at_[rank] == std::numeric_limits<double>::max()) continue;
      at(free_at_[rank] - kDispatchSeconds);
      history_.changes.push_back(EventNoted{"idle", static_cast<int>(rank), "no trial waits"});
    }
  }

  SyntheticHistory history() && { return std::move(history_); }

 private:
  static constexpr double kDispatchSeconds = 0.4;

  double uniform() { return static_cast<double>(random_()) / 4294967296.0; }

  void at(double seconds) {
    history_.times.push_back(synthetic_begin() +
                             std::chrono::milliseconds(std::llround(seconds * 1000)));
  }

  std::size_t free_rank() const {
    return static_cast<std::size_t>(std::min_element(free_at_.begin(), free_at_.end()) -
                                    free_at_.begin());
  }

  void begin(const PlannedTrial& trial, std::size_t rank) {
    at(free_at_[rank]);
    history_.changes.push_back(AttemptStarted{++attempt_, trial.id, static_cast<int>(rank),
                                              (rank < 2 ? "node-a" : "node-b") + sweep_.user_text,
                                              fmt::format("cuda:{}", rank % 2) + sweep_.user_text,
                                              4});
  }

  void end(const PlannedTrial& trial, std::size_t rank, double seconds, AttemptEnded end) {
    free_at_[rank] += seconds;
    at(free_at_[rank]);
    end.attempt = attempt_;
    end.trial = trial.id;
    history_.changes.push_back(std::move(end));
    free_at_[rank] += kDispatchSeconds;
  }

  void fail(const PlannedTrial& trial, TrialState then) {
    const std::size_t rank = free_rank();
    begin(trial, rank);
    AttemptEnded ended;
    ended.outcome = AttemptOutcome::lost;
    ended.trial_state = then;
    ended.cause = "signal 9 (SIGKILL)" + sweep_.user_text;
    ended.message =
        "The trainer was killed; the kernel may have run out of memory." + sweep_.user_text;
    ended.stderr_tail = "loading weights\nepoch 1\n" + sweep_.user_text;
    end(trial, rank, 30 + 60 * uniform(), ended);
  }

  EpochMetrics metrics_of(const ArchitectureTraits& traits, int epoch, double difficulty) {
    EpochMetrics metrics;
    metrics.epoch = epoch;
    const double progress = std::exp(-epoch / (4.0 + 6.0 * difficulty));
    const double overfit = 0.004 * std::max(0, epoch - 18) * (1 + difficulty);
    metrics.train_loss = 0.69 * progress + traits.floor * 0.6 + 0.01 * uniform();
    metrics.val_loss = 0.69 * progress + traits.floor * (1 + difficulty) + overfit +
                       (0.02 + 0.05 * progress) * uniform();
    metrics.train_accuracy = std::round(700 * (1 - 0.5 * std::min(1.0, metrics.train_loss))) / 700;
    metrics.val_accuracy = std::round(100 * (1 - 0.45 * std::min(1.0, metrics.val_loss))) / 100;
    metrics.learning_rate = 1e-3;
    metrics.seconds = std::round(traits.seconds * (0.95 + 0.1 * uniform()) * 10) / 100;
    metrics.data_wait_s = metrics.seconds * 0.04;
    metrics.validation_s = metrics.seconds * 0.1;
    metrics.train_images = 700;
    metrics.val_images = 100;
    metrics.val_classes_predicted = 2;
    metrics.peak_memory_bytes = std::int64_t{900} << 20;
    return metrics;
  }

  // Losses of single images whose mean and mistakes are those of the best epoch. The same images
  // are hard for all trials, and each has a few that are hard for it alone.
  void predict(const PlannedTrial& trial) {
    constexpr double kCoin = 0.6931471805599453;  // the loss of a coin's toss
    const auto mistakes =
        static_cast<std::size_t>(std::lround((1 - best_.val_accuracy) * kValidationImages));
    std::mt19937 random(static_cast<unsigned>(attempt_));
    std::vector<std::pair<double, std::size_t>> hardness;
    for (std::size_t i = 0; i < kValidationImages; ++i) {
      const double own = static_cast<double>(random()) / 4294967296.0;
      hardness.emplace_back(static_cast<double>(i * 37 % 100) / 100 + 0.3 * own, i);
    }
    std::ranges::sort(hardness, std::greater());
    const double total = best_.val_loss * kValidationImages;
    const double over = std::max(0.0, total - kCoin * static_cast<double>(mistakes));
    const double right = static_cast<double>(kValidationImages - mistakes);
    const double of_right = mistakes == 0 ? total : std::min(over / 2, 0.4 * kCoin * right);
    double weights = 0;
    for (std::size_t i = mistakes; i < kValidationImages; ++i) weights += hardness[i].first;
    sweeps::Predictions predictions{.images = kValidationImages, .classes = 2};
    predictions.log_probabilities.resize(std::size_t{2} * kValidationImages);
    for (std::size_t i = 0; i < kValidationImages; ++i) {
      const auto [hard, image] = hardness[i];
      const double loss = i < mistakes ? kCoin + (over - of_right) / static_cast<double>(mistakes)
                                       : of_right * hard / weights;
      const std::size_t label = image % 2;
      predictions.log_probabilities[2 * image + label] = static_cast<float>(-loss);
      predictions.log_probabilities[2 * image + 1 - label] =
          static_cast<float>(std::log(-std::expm1(-loss)));
    }
    history_.changes.push_back(PredictionsKept{trial.id, best_.epoch, std::move(predictions)});
  }

  void train(const PlannedTrial& trial, Fate fate) {
    const std::size_t rank = free_rank();
    begin(trial, rank);
    const double difficulty = uniform() + (trial.spec.learning_rate > 5e-4 ? 0.4 : 0) +
                              (trial.spec.training == sweeps::TrainingMode::frozen ? 0.5 : 0);
    int epochs = std::max(1, sweep_.epochs - static_cast<int>(random_() % 8));
    if (fate == Fate::diverged) epochs = std::min(epochs, 5);
    if (fate == Fate::running) epochs = std::min(epochs, 9);
    double seconds = 2;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      EpochMetrics metrics = metrics_of(traits_of(trial), epoch, difficulty);
      if (fate == Fate::collapsed) {
        metrics.train_loss = 7.97 + 0.2 * uniform();
        metrics.train_accuracy = 0.5;
        metrics.val_loss = 8.059;
        metrics.val_accuracy = 0.5;
        metrics.val_classes_predicted = 1;
      }
      if (fate == Fate::diverged && epoch == epochs) {
        metrics.train_loss = metrics.val_loss = std::numeric_limits<double>::quiet_NaN();
      }
      seconds += metrics.seconds;
      at(free_at_[rank] + seconds);
      if (epoch == 1 || metrics.val_loss < best_.val_loss) best_ = metrics;
      history_.changes.push_back(EpochRecorded{attempt_, trial.id, metrics});
    }
    if (fate == Fate::running) {
      free_at_[rank] = std::numeric_limits<double>::max();  // busy for good
      return;
    }
    const bool diverged = fate == Fate::diverged;
    if (!diverged && sweep_.predictions) predict(trial);
    AttemptEnded ended;
    ended.outcome = diverged ? AttemptOutcome::diverged : AttemptOutcome::finished;
    ended.trial_state = diverged ? TrialState::diverged : TrialState::finished;
    ended.cause = diverged ? "validation loss is not a number" : "";
    ended.parameters = traits_of(trial).parameters;
    end(trial, rank, seconds, ended);
  }

  const SyntheticSweep& sweep_;
  std::mt19937 random_;
  std::vector<double> free_at_;  // seconds after the begin, by rank
  sweeps::AttemptId attempt_ = 0;
  EpochMetrics best_;  // of the last trial
  SyntheticHistory history_;
};

}  // namespace

sweeps::Plan synthetic_plan(const SyntheticSweep& sweep) {
  sweeps::Plan plan;
  plan.sweep_name = sweep.name + sweep.user_text;
  plan.data_fingerprint = sweeps::hash_hex("synthetic faces");
  plan.swept = {"architecture", "learning_rate", "augmentation", "training"};
  if (sweep.trials > 80) plan.swept.push_back("seed");
  if (!sweep.user_text.empty()) plan.swept.push_back("weights");
  for (int i = 0; i < sweep.trials; ++i) {
    PlannedTrial trial;
    trial.spec.architecture = kArchitectures[static_cast<std::size_t>(i % 5)].name;
    trial.spec.learning_rate = kLearningRates[static_cast<std::size_t>(i / 5 % 2)];
    trial.spec.training =
        i / 10 % 2 == 0 ? sweeps::TrainingMode::full : sweeps::TrainingMode::frozen;
    trial.spec.augmentation =
        *sweeps::find_augmentation_preset(kAugmentations[static_cast<std::size_t>(i / 20 % 4)]);
    trial.spec.seed = i / 80;
    trial.spec.epochs = sweep.epochs;
    if (!sweep.user_text.empty()) trial.spec.weights = "/" + valid_utf8(sweep.user_text);
    trial.id = sweeps::identify(trial.spec, plan.data_fingerprint);
    trial.cost = traits_of(trial).seconds;
    plan.trials.push_back(trial);
  }
  return plan;
}

Provenance synthetic_provenance(const SyntheticSweep& sweep) {
  Provenance provenance;
  provenance.source =
      fmt::format("name: {}\ndata: {{path: faces}}\n", sweep.name) +
      "grid:\n"
      "  architecture: [simple_cnn, vgg16, inception_v3, resnet50, inception_resnet_v2]\n"
      "  learning_rate: [1e-3, 1e-4]\n"
      "  augmentation: [none, flip, standard, strong]\n"
      "  training: [frozen, full]\n" +
      sweep.user_text;
  provenance.data_path = "/data/faces" + sweep.user_text;
  provenance.classes = {"neutral", "smiling" + sweep.user_text};
  provenance.train_images = 700;
  for (int i = 0; i < kValidationImages; ++i) {
    provenance.validation.push_back({fmt::format("val/{:03}.jpg", i) + sweep.user_text, i % 2});
  }
  provenance.command_line =
      "mpirun -n 4 ranksweep run synthetic.yaml --db results.db" + sweep.user_text;
  provenance.host = "node-a" + sweep.user_text;
  provenance.environment = {{"ranksweep", "0.1.0"},
                            {"LibTorch", "2.11.0"},
                            {"MPI", "Open MPI 4.1.4"},
                            {"CPU", "AMD EPYC 7763, 2 cores"},
                            {"git commit", "de7af9c" + sweep.user_text}};
  return provenance;
}

UtcTime synthetic_begin() {
  using namespace std::chrono;  // for the literals of a date
  return sys_days(2025y / March / 1) + 8h;
}

SyntheticHistory synthetic_history(const sweeps::Plan& plan, const SyntheticSweep& sweep) {
  Historian historian(sweep);
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    historian.tell(plan.trials[i], fate_of(i, sweep));
  }
  historian.leave();
  return std::move(historian).history();
}

void write_synthetic_sweep(const std::filesystem::path& path, const SyntheticSweep& sweep) {
  const sweeps::Plan plan = synthetic_plan(sweep);
  SyntheticHistory history = synthetic_history(plan, sweep);
  StoreOptions options;
  options.clock = [times = std::move(history.times), next = std::size_t{0},
                   opened = false]() mutable {
    if (!opened) {  // the store's first question is when the sweep was opened
      opened = true;
      return synthetic_begin();
    }
    return times.at(next++);
  };
  const auto store =
      SqliteStore::open_for_sweep(path, plan, synthetic_provenance(sweep), std::move(options));
  store->commit(history.changes);
}

}  // namespace ranksweep::results::testing
