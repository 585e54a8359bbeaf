#include "worker/training/evaluation.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "worker/training/batch_loader.h"
#include "worker/training/loss.h"
#include "worker/training/stopwatch.h"

namespace ranksweep::worker {
namespace {

int batches_of(const ImageSet& set) {
  return static_cast<int>((set.size() + kEvaluationBatch - 1) / kEvaluationBatch);
}

torch::Tensor indices_of(int batch, const ImageSet& set) {
  const std::int64_t begin = batch * kEvaluationBatch;
  return torch::arange(begin, std::min(begin + kEvaluationBatch, set.size()), torch::kInt64);
}

struct Batches {
  int begin = 0;
  int end = 0;
};

// The leader has at least one.
Batches own_batches(const ImageSet& set, const Replicas* replicas) {
  const int batches = batches_of(set);
  if (!replicas) return {0, batches};
  const int each = (batches + replicas->members() - 1) / replicas->members();
  const int begin = std::min(replicas->member() * each, batches);
  return {begin, std::min(begin + each, batches)};
}

}  // namespace

torch::Tensor features_of(TrialModel& model, const ImageSet& set, const FeaturePass& pass,
                          const BeforeBatch& before) {
  const torch::NoGradGuard no_gradients;
  model.train(false);
  const int batches = batches_of(set);
  BatchLoader loader(0, batches, model.device(), [&](int batch) {
    const torch::Tensor indices = indices_of(batch, set);
    return pass.augmented_in_epoch > 0
               ? model.augmented_images(set, indices, pass.augmented_in_epoch)
               : model.images(set, indices);
  });
  std::vector<torch::Tensor> parts;
  for (int batch = 0; batch < batches; ++batch) {
    if (before) before(batch, batches);
    const torch::Tensor images = loader.next();
    parts.push_back(pass.leading_blocks > 0 ? model.leading_maps(images, pass.leading_blocks)
                                            : model.pooled(images));
  }
  return torch::cat(parts);
}

Evaluation evaluate(TrialModel& model, const ImageSet& set, const torch::Tensor& features,
                    int leading_blocks, const BeforeBatch& before, Replicas* replicas) {
  const torch::NoGradGuard no_gradients;
  model.train(false);
  const auto [first, batches] = own_batches(set, replicas);
  std::optional<BatchLoader> loader;
  if (!features.defined()) {
    loader.emplace(first, batches, model.device(),
                   [&](int batch) { return model.images(set, indices_of(batch, set)); });
  }
  std::vector<torch::Tensor> parts;
  Evaluation evaluation;
  for (int batch = first; batch < batches; ++batch) {
    if (before) before(batch, batches);
    torch::Tensor pooled;
    if (loader) {
      const Stopwatch waiting;
      torch::Tensor images = loader->next();
      evaluation.data_wait_s += waiting.seconds();
      pooled = model.pooled(images);
    } else {
      pooled = model.pooled_of(
          features.index_select(0, indices_of(batch, set).to(features.device())), leading_blocks);
    }
    parts.push_back(model.logits(pooled));
  }
  evaluation.logits = parts.empty() ? torch::Tensor() : torch::cat(parts);
  if (replicas) {
    evaluation.logits = replicas->gather(evaluation.logits, first * kEvaluationBatch, set.size());
  }
  const torch::Tensor labels = set.labels.to(evaluation.logits.device());
  const torch::Tensor predicted = Loss::predict(evaluation.logits);
  evaluation.loss = Loss::each(evaluation.logits, labels).to(torch::kFloat64).mean().item<double>();
  evaluation.accuracy = predicted.eq(labels).to(torch::kFloat64).mean().item<double>();
  evaluation.classes_predicted = static_cast<int>(std::get<0>(at::_unique2(predicted)).numel());
  return evaluation;
}

sweeps::Predictions predictions_of(const torch::Tensor& logits) {
  const std::int64_t images = logits.size(0);
  const std::int64_t classes = std::max<std::int64_t>(logits.size(1), 2);
  if (!sweeps::may_be_kept(images, classes)) return sweeps::too_many_predictions(images, classes);
  const torch::Tensor logarithms = Loss::log_probabilities(logits).cpu().contiguous();
  const auto* first = logarithms.const_data_ptr<float>();
  return {.images = static_cast<int>(images),
          .classes = static_cast<int>(classes),
          .log_probabilities = {first, first + logarithms.numel()},
          .left_out = ""};
}

}  // namespace ranksweep::worker
