#include "worker/models/synchronized_batch_norm.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <ATen/OpMathType.h>

namespace ranksweep::worker {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const std::vector<std::int64_t> kAllButChannels = {0, 2, 3};

// What sums are taken in: float32 for bfloat16, else the type of the values.
torch::ScalarType sum_type(const Tensor& values) { return at::toOpMathType(values.scalar_type()); }

Tensor by_channel(const Tensor& values) { return values.view({1, -1, 1, 1}); }

// The mean and the biased variance [C] of the whole batch, and how many numbers of each channel it
// has. The sums are of means and squared deviations of each part (T. F. Chan et al., Updating
// Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979), in float64.
struct Statistics {
  Tensor mean;
  Tensor variance;
  double count = 0;
};

Statistics statistics_of(const Tensor& x, const SharedBatch& batch) {
  const std::int64_t channels = x.size(1);
  Tensor sums = torch::zeros({2 * channels + 1}, x.options().dtype(torch::kFloat64));
  if (batch.counts) {
    const double own = static_cast<double>(x.numel() / channels);
    const Tensor mean = x.mean(kAllButChannels).to(torch::kFloat64);
    const Tensor variance = x.var(kAllButChannels, /*unbiased=*/false).to(torch::kFloat64);
    sums.slice(0, 0, channels).copy_(mean * own);
    sums.slice(0, channels, 2 * channels).copy_((variance + mean.square()) * own);
    sums[2 * channels] = own;
  }
  batch.sum(sums);
  const Tensor count = sums[2 * channels];
  const Tensor mean = sums.slice(0, 0, channels) / count;
  const Tensor variance =
      (sums.slice(0, channels, 2 * channels) / count - mean.square()).clamp_min(0);
  const auto type = x.scalar_type();
  return {mean.to(type), variance.to(type), count.item<double>()};
}

struct BatchNorm : torch::autograd::Function<BatchNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, const Tensor& mean, const Tensor& variance,
                        double count, double epsilon, const SharedBatch* batch) {
    const Tensor inverse = (variance + epsilon).rsqrt();
    context->save_for_backward({x, weight, mean, inverse});
    context->saved_data["count"] = count;
    // Torch keeps numbers for a backward pass, and no pointers.
    context->saved_data["batch"] = reinterpret_cast<std::int64_t>(batch);
    return torch::batch_norm(x, weight, bias, mean, variance, /*training=*/false, 0, epsilon,
                             /*cudnn_enabled=*/false);
  }

  // With y = w (x - m) i + b:  dw = sum dy (x - m) i,  db = sum dy,
  //   dx = w i (dy - (sum' dy + (x - m) i^2 sum' dy (x - m)) / n), sums' over the group. dw and db
  // are this member's own: the gradients of all parameters are summed later.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const auto type = sum_type(saved[0]);
    const Tensor x = saved[0].to(type);
    const Tensor& weight = saved[1];
    const Tensor& inverse = saved[3];
    const Tensor dy = gradients[0].to(type);
    const Tensor centred = x - by_channel(saved[2]);
    const Tensor sum_dy = dy.sum(kAllButChannels);
    const Tensor sum_dy_centred = (dy * centred).sum(kAllButChannels);

    Tensor sums = torch::cat({sum_dy, sum_dy_centred}).to(torch::kFloat64);
    const auto& batch = *reinterpret_cast<const SharedBatch*>(context->saved_data["batch"].toInt());
    if (!batch.counts) sums.zero_();
    batch.sum(sums);
    sums = (sums / context->saved_data["count"].toDouble()).to(type);
    const auto halves = sums.chunk(2);
    Tensor dx = (dy - by_channel(halves[0]) - centred * by_channel(halves[1] * inverse.square())) *
                by_channel(weight * inverse);
    if (!batch.counts) dx.zero_();  // the statistics do not depend on a stand-in
    return {dx.to(saved[0].scalar_type()), sum_dy_centred * inverse, sum_dy, {}, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor synchronized_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                               const Tensor& running_mean, const Tensor& running_variance,
                               double momentum, double epsilon, const SharedBatch& batch) {
  Statistics statistics;
  {
    const torch::NoGradGuard no_gradients;
    statistics = statistics_of(x.detach().to(sum_type(x)), batch);
    const double unbiased = statistics.count / std::max(statistics.count - 1, 1.0);
    running_mean.lerp_(statistics.mean, momentum);
    running_variance.lerp_(statistics.variance * unbiased, momentum);
  }
  return BatchNorm::apply(x, weight, bias, statistics.mean, statistics.variance, statistics.count,
                          epsilon, &batch);
}

}  // namespace ranksweep::worker
