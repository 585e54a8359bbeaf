#include "worker/training/training_loop.h"

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "worker/parallel/replicas.h"
#include "worker/training/batch_loader.h"
#include "worker/training/best_weights.h"
#include "worker/training/checkpoints.h"
#include "worker/training/device_memory.h"
#include "worker/training/epoch_batches.h"
#include "worker/training/evaluation.h"
#include "worker/training/loss.h"
#include "worker/training/loss_scaling.h"
#include "worker/training/optimizer.h"
#include "worker/training/random.h"
#include "worker/training/run_state.h"
#include "worker/training/schedule.h"
#include "worker/training/stopwatch.h"
#include "worker/training/trained_part.h"
#include "worker/training/training_step.h"
#include "worker/training/trial_features.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {
namespace {

// Thrown and caught in here: the supervisor wants no further step.
struct StopRequested {};
struct LossNotFinite {};

class TrainingRun {
 public:
  TrainingRun(const TrainingJob& job, const TrainingData& data, FeatureStore& store,
              Supervisor& supervisor)
      : job_(job),
        spec_(job.spec),
        data_(data),
        supervisor_(supervisor),
        model_(spec_, static_cast<int>(data.classes.size()), job.device),
        loss_(spec_, data.train.labels, static_cast<int>(data.classes.size()), job.device),
        optimizer_(spec_, make_groups()),
        best_logits_(torch::zeros(
            {keeps_predictions() ? data.validation.size() : 0, model_.head().outputs()})),
        checkpoints_(job.directory, job.trial),
        best_weights_(spec_, data.classes, job.directory, model_, checkpoints_),
        features_(spec_, model_, data, job.device, store,
                  [this](std::int64_t done, std::int64_t images, double seconds) {
                    watch_pass(done, images, seconds);
                  }),
        replicas_(job.group ? std::make_unique<Replicas>(*job.group, job.device) : nullptr) {
    if (replicas_ && spec_.sync_batch_norm && !model_.base_stays_frozen()) {
      model_.model().base().share_batches(replicas_->batch());
    }
  }

  TrainingEnd run() {
    try {
      resume();
      while (decide() == Supervisor::Decision::go_on) train_epoch();
      if (leads()) supervisor_.predicted(best_epoch(state_.history), best_predictions());
      finish();
      return {TrainingEnd::Kind::finished};
    } catch (const StopRequested&) {
      save();
      return {TrainingEnd::Kind::stopped};
    } catch (const LossNotFinite&) {
      finish();
      return {TrainingEnd::Kind::diverged, state_.epoch};
    }
  }

 private:
  std::vector<ParameterGroup> make_groups() {
    ParameterGroup base{.name = "base", .parameters = {}};
    ParameterGroup head{.name = "head", .parameters = {}};
    for (const auto& [name, tensor, block] : model_.trained_tensors()) {
      if (!tensor.requires_grad()) continue;
      (name.starts_with("head.") ? head : base).parameters.emplace_back(name, tensor);
    }
    return {std::move(base), std::move(head)};
  }

  bool keeps_predictions() const {
    return sweeps::may_be_kept(data_.validation.size(), std::ssize(data_.classes));
  }

  sweeps::Predictions best_predictions() const {
    return keeps_predictions()
               ? predictions_of(best_logits_)
               : sweeps::too_many_predictions(data_.validation.size(), std::ssize(data_.classes));
  }

  // What a resume state has to hold, the counts of the optimizer's steps aside.
  NamedTensors resumable_tensors() {
    NamedTensors tensors = named(model_.trained_tensors());
    for (auto& each : optimizer_.state()) tensors.push_back(std::move(each));
    tensors.emplace_back("best.validation_logits", best_logits_);
    return tensors;
  }

  void resume() {
    NamedTensors tensors = resumable_tensors();
    std::vector<torch::Tensor> steps;
    for (auto& group : optimizer_.groups()) {
      steps.push_back(torch::zeros({}, torch::kInt64));
      tensors.emplace_back("optimizer.steps." + group.name, steps.back());
    }
    if (auto state = leads() ? checkpoints_.read_resume(tensors) : std::nullopt) {
      state_ = std::move(*state);
      loss_scaling_.restore(state_.loss_scale);
      best_weights_.found_on_disk(best_epoch(state_.history));
      for (std::size_t i = 0; i < steps.size(); ++i) {
        optimizer_.groups()[i].steps = steps[i].item<std::int64_t>();
      }
    }
    if (replicas_) share_start();
    // The last complete epoch is reported again even if it is known, so that an attempt which only
    // has to be told that the trial is complete needs no further epoch to hear it.
    const int complete = static_cast<int>(state_.history.size());
    reported_ = std::min(job_.known_epochs, std::max(complete - 1, 0));
    if (!leads()) return;
    supervisor_.started({.resumed_from = reported_,
                         .parameters = model_.parameter_count(),
                         .precision = model_.precision(),
                         .memory_format = model_.memory_format()});
    since_save_.restart();
  }

  bool leads() const { return !replicas_ || replicas_->leads(); }

  // What the leader starts from, to all.
  void share_start() {
    std::vector<torch::Tensor> tensors;
    for (const auto& each : model_.trained_tensors()) tensors.push_back(each.tensor);
    for (const auto& [name, tensor] : optimizer_.state()) tensors.push_back(tensor);
    replicas_->broadcast(tensors);
    nlohmann::json start = {{"state", to_json(state_)}};
    for (const auto& group : optimizer_.groups()) start["steps"].push_back(group.steps);
    start = nlohmann::json::parse(replicas_->broadcast(start.dump()));
    state_ = run_state_from_json(start["state"]);
    loss_scaling_.restore(state_.loss_scale);
    for (std::size_t i = 0; i < optimizer_.groups().size(); ++i) {
      optimizer_.groups()[i].steps = start["steps"][i];
    }
  }

  // The leader reports what is not reported yet, and tells the others what it hears.
  Supervisor::Decision decide() {
    auto decision = Supervisor::Decision::go_on;
    while (leads() && decision == Supervisor::Decision::go_on &&
           reported_ < static_cast<int>(state_.history.size())) {
      decision = supervisor_.epoch_done(state_.history[reported_++]);
    }
    if (replicas_) {
      decision = static_cast<Supervisor::Decision>(
          std::stoi(replicas_->broadcast(std::to_string(static_cast<int>(decision)))));
    }
    if (decision == Supervisor::Decision::stop) throw StopRequested();
    return decision;
  }

  void stop_if_requested() {
    if (supervisor_.stop_requested()) throw StopRequested();
  }

  void pause_between_steps() {
    if (!replicas_) {
      stop_if_requested();
    } else if (replicas_->stop_agreed()) {
      throw StopRequested();
    }
    if (since_save_.seconds() >= job_.checkpoint_interval) save();
  }

  void train_epoch() {
    const double earlier = state_.seconds;
    Stopwatch watch;
    peak_memory_.restart();
    begin_epoch();
    const EpochBatches batches(data_.train.size(), spec_, state_.epoch);
    const int steps = batches.count();
    const std::int64_t images_before = state_.images;
    std::optional<BatchLoader> loader;
    if (!trained_.train_features().defined()) {
      loader.emplace(state_.step, steps, job_.device, [&, epoch = state_.epoch](int step) {
        return training_images(step_.own_part(batches.at(step)), epoch);
      });
    }
    model_.train(true);
    while (state_.step < steps) {
      pause_between_steps();
      take_step(batches.at(state_.step), loader);
      state_.seconds = earlier + watch.seconds();
      supervisor_.progressed(state_.epoch, state_.step, steps,
                             static_cast<double>(state_.images - images_before) / watch.seconds());
    }
    if (replicas_) replicas_->compare(trained_.parameters());
    sweeps::EpochMetrics metrics = validate();
    metrics.seconds = earlier + watch.seconds();
    metrics.peak_memory_bytes = peak_memory_.bytes();
    end_epoch(metrics);
  }

  void begin_epoch() {
    factor_ = schedule_factor(spec_, state_.epoch, state_.history);
    optimizer_.groups()[0].learning_rate =
        factor_ * spec_.base_learning_rate.value_or(spec_.learning_rate);
    optimizer_.groups()[1].learning_rate = factor_ * spec_.learning_rate;
    trained_.begin_epoch(state_.epoch);
    step_.train(trained_.parameters());
  }

  torch::Tensor training_images(const torch::Tensor& indices, int epoch) const {
    return augmented_ ? model_.augmented_images(data_.train, indices, epoch)
                      : model_.images(data_.train, indices);
  }

  torch::Tensor wait_for(BatchLoader& loader) {
    const Stopwatch waiting;
    torch::Tensor batch = loader.next();
    state_.data_wait_s += waiting.seconds();
    return batch;
  }

  // `loader` gives the images, where the step needs them.
  void take_step(const torch::Tensor& indices, std::optional<BatchLoader>& loader) {
    const int member = replicas_ ? replicas_->member() : 0;  // each drops other features
    torch::manual_seed(
        mix({static_cast<std::uint64_t>(spec_.seed), static_cast<std::uint64_t>(state_.epoch),
             static_cast<std::uint64_t>(state_.step)}) +
        static_cast<std::uint64_t>(member));
    const torch::Tensor own = step_.own_part(indices);
    const torch::Tensor labels = data_.train.labels.index_select(0, own).to(job_.device);
    StepSums sums = step_.compute_gradients(
        indices,
        loader ? wait_for(*loader) : trained_.train_features().index_select(0, own.to(job_.device)),
        labels, [this](const torch::Tensor& inputs) { return trained_.logits(inputs); });
    if (replicas_) sums = replicas_->join(sums, supervisor_.stop_requested());
    if (!std::isfinite(sums.loss)) throw LossNotFinite();
    if (replicas_ && !spec_.sync_batch_norm) replicas_->average(trained_.buffers());
    step_.update();

    state_.loss_scale = loss_scaling_.scale();
    state_.loss_sum += sums.loss * static_cast<double>(indices.numel());
    state_.correct += static_cast<std::int64_t>(sums.correct);
    state_.images += indices.numel();
    ++state_.step;
  }

  sweeps::EpochMetrics validate() {
    const Stopwatch watch;
    const Evaluation validation = evaluate(
        model_, data_.validation, trained_.validation_features(), trained_.leading_blocks(),
        [&](int, int) {
          if (!replicas_) stop_if_requested();  // others wait
        },
        replicas_.get());
    if (!std::isfinite(validation.loss)) throw LossNotFinite();
    logits_ = validation.logits;
    const auto images = static_cast<double>(state_.images);
    return {.epoch = state_.epoch,
            .train_loss = state_.loss_sum / images,
            .train_accuracy = static_cast<double>(state_.correct) / images,
            .val_loss = validation.loss,
            .val_accuracy = validation.accuracy,
            .learning_rate = factor_ * spec_.learning_rate,
            .data_wait_s = state_.data_wait_s + validation.data_wait_s,
            .validation_s = watch.seconds(),
            .train_images = static_cast<int>(state_.images),
            .val_images = static_cast<int>(data_.validation.size()),
            .val_classes_predicted = validation.classes_predicted};
  }

  void end_epoch(const sweeps::EpochMetrics& metrics) {
    auto history = std::move(state_.history);
    history.push_back(metrics);
    state_ = RunState{.epoch = metrics.epoch + 1,
                      .history = std::move(history),
                      .loss_scale = loss_scaling_.scale()};
    if (replicas_) {  // decisions depend on it: the members' processors may differ in a last bit
      state_ =
          run_state_from_json(nlohmann::json::parse(replicas_->broadcast(to_json(state_).dump())));
    }
    if (!leads() || best_epoch(state_.history) != metrics.epoch) return;
    if (keeps_predictions()) best_logits_.copy_(logits_);
    best_weights_.keep();
  }

  // While the frozen base makes features of the images.
  void watch_pass(std::int64_t done, std::int64_t images, double seconds) {
    stop_if_requested();
    const double rate = done > 0 ? static_cast<double>(done) / seconds : 0;
    supervisor_.progressed(0, static_cast<int>(done), static_cast<int>(images), rate);
  }

  void save() {
    if (!leads()) return;
    best_weights_.write(state_.history);
    NamedTensors tensors = resumable_tensors();
    for (const auto& group : optimizer_.groups()) {
      tensors.emplace_back("optimizer.steps." + group.name,
                           torch::tensor(group.steps, torch::kInt64));
    }
    checkpoints_.write_resume(state_, tensors, best_weights_.on_disk());
    since_save_.restart();
  }

  void finish() {
    if (!leads()) return;
    best_weights_.write(state_.history);
    checkpoints_.finish(best_weights_.on_disk());
  }

  const TrainingJob& job_;
  const sweeps::TrialSpec& spec_;
  const TrainingData& data_;
  Supervisor& supervisor_;
  TrialModel model_;
  Loss loss_;
  Optimizer optimizer_;
  torch::Tensor best_logits_;  // of the validation images at the best epoch, on the CPU
  Checkpoints checkpoints_;
  BestWeights best_weights_;
  PeakMemory peak_memory_{job_.device};
  TrialFeatures features_;
  TrainedPart trained_{spec_, data_, model_, optimizer_, features_};
  std::unique_ptr<Replicas> replicas_;  // null: this process trains the trial alone
  LossScaling loss_scaling_{model_.precision()};
  TrainingStep step_{
      loss_,
      optimizer_,
      loss_scaling_,
      replicas_.get(),
      {.device = job_.device, .batch_parts = job_.batch_parts, .cuda_graphs = job_.cuda_graphs}};

  const bool augmented_ = spec_.augmentation != sweeps::Augmentation{};
  RunState state_;
  int reported_ = 0;      // epochs that need not be reported any more
  double factor_ = 1;     // of the learning rates in this epoch
  torch::Tensor logits_;  // of the validation images at the last epoch
  Stopwatch since_save_;
};

}  // namespace

TrainingEnd train(const TrainingJob& job, const TrainingData& data, FeatureStore& features,
                  Supervisor& supervisor) {
  return TrainingRun(job, data, features, supervisor).run();
}

}  // namespace ranksweep::worker
