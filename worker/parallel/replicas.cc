#include "worker/parallel/replicas.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "sweeps/trial_id.h"

namespace ranksweep::worker {
namespace {

template <class Number>
std::span<Number> numbers_of(const torch::Tensor& tensor) {
  TORCH_CHECK(tensor.is_non_overlapping_and_dense(), "a group sums dense tensors");
  return {tensor.mutable_data_ptr<Number>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

Replicas::Replicas(GradientGroup& group, torch::Device device)
    : group_(group), device_(device), batch_{.sum = [this](const torch::Tensor& t) { sum(t); }} {}

void Replicas::broadcast(const std::vector<torch::Tensor>& tensors) {
  for (const torch::Tensor& tensor : tensors) {
    TORCH_CHECK(tensor.is_non_overlapping_and_dense(), "a group broadcasts dense tensors");
    group_.broadcast({static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()});
  }
}

std::string Replicas::broadcast(const std::string& text) {
  const auto bytes = torch::dtype(torch::kUInt8);
  torch::Tensor size =
      torch::tensor(static_cast<std::int64_t>(text.size()), torch::kInt64).to(device_);
  broadcast({size});
  torch::Tensor content = torch::empty({size.item<std::int64_t>()}, bytes);
  if (leads()) text.copy(static_cast<char*>(content.mutable_data_ptr()), text.size());
  content = content.to(device_);
  broadcast({content});
  content = content.to(torch::kCPU);
  return {static_cast<const char*>(content.const_data_ptr()), content.nbytes()};
}

void Replicas::sum(const torch::Tensor& tensor) {
  if (tensor.scalar_type() == torch::kFloat64) {
    group_.sum(numbers_of<double>(tensor));
  } else {
    group_.sum(numbers_of<float>(tensor));
  }
}

std::vector<double> Replicas::sum(const std::vector<double>& values) {
  torch::Tensor tensor = torch::tensor(values, torch::kFloat64).to(device_);
  sum(tensor);
  tensor = tensor.to(torch::kCPU);
  const auto* begin = tensor.const_data_ptr<double>();
  return {begin, begin + values.size()};
}

// At least two images for each member that has some: of one alone, in maps of one pixel, batch
// normalisation cannot tell a variance.
Replicas::Part Replicas::own_part(std::int64_t images) const {
  const std::int64_t parts = std::clamp<std::int64_t>(images / 2, 1, members());
  const std::int64_t part = std::min<std::int64_t>(member(), parts);
  return {images * part / parts, std::min(images * (part + 1) / parts, images)};
}

torch::Tensor Replicas::part_of(const torch::Tensor& batch) const {
  const std::int64_t images = batch.numel();
  const auto [begin, end] = own_part(images);
  return end > begin ? batch.slice(0, begin, end) : batch.slice(0, images - 1, images);
}

void Replicas::begin_batch(std::int64_t images) {
  const auto [begin, end] = own_part(images);
  batch_.counts = end > begin;
  weight_ = static_cast<double>(end - begin) / static_cast<double>(images);
}

void Replicas::train(std::vector<torch::Tensor> parameters) {
  buckets_.reset();
  buckets_.emplace(group_, std::move(parameters));
}

StepSums Replicas::join(const StepSums& sums, bool wants_stop) {
  const std::vector<double> joined = sum({sums.loss, sums.correct, wants_stop ? 1.0 : 0.0});
  stop_agreed_ = stop_agreed_ || joined[2] > 0;
  return {.loss = joined[0], .correct = joined[1]};
}

void Replicas::average(const std::vector<torch::Tensor>& buffers) {
  if (buffers.empty()) return;
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor& buffer : buffers) flat.push_back(buffer.flatten());
  torch::Tensor joined = torch::cat(flat);
  joined = batch_.counts ? joined.mul_(weight_) : torch::zeros_like(joined);
  sum(joined);
  std::int64_t begin = 0;
  for (const torch::Tensor& buffer : buffers) {
    buffer.copy_(joined.slice(0, begin, begin + buffer.numel()).view(buffer.sizes()));
    begin += buffer.numel();
  }
}

torch::Tensor Replicas::gather(const torch::Tensor& rows, std::int64_t first, std::int64_t count) {
  const double width = sum(std::vector<double>{leads() ? static_cast<double>(rows.size(1)) : 0})[0];
  torch::Tensor all = torch::zeros({count, static_cast<std::int64_t>(width)},
                                   torch::dtype(torch::kFloat32).device(device_));
  if (rows.defined()) all.slice(0, first, first + rows.size(0)).copy_(rows);
  sum(all);
  return all;
}

void Replicas::compare(const std::vector<torch::Tensor>& tensors) {
  std::string hashes;
  for (const torch::Tensor& tensor : tensors) {
    const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
    hashes += sweeps::hash_hex({static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()});
  }
  // 32 bits of the hash of all: doubles carry them whole.
  const double own =
      static_cast<double>(std::stoul(sweeps::hash_hex(hashes).substr(0, 8), nullptr, 16));
  std::vector<double> all(static_cast<std::size_t>(members()));
  all[static_cast<std::size_t>(member())] = own;
  all = sum(all);
  for (std::size_t other = 1; other < all.size(); ++other) {
    if (all[other] != all[0]) {
      throw ReplicasDiverged("the parameters of member " + std::to_string(other) +
                             " differ from those of the leader; a member computes wrongly");
    }
  }
}

}  // namespace ranksweep::worker
