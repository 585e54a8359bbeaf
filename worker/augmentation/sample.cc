#include "worker/augmentation/sample.h"

#include <ATen/Parallel.h>

#include "worker/augmentation/sample_cpu.h"

namespace ranksweep::worker {
namespace {

namespace F = torch::nn::functional;
using sweeps::FillMode;

// The places in pixels along one axis, [B, H, W], that row `row` (0: x, 1: y) of the maps gives.
torch::Tensor places(const torch::Tensor& maps, int row, std::int64_t height, std::int64_t width) {
  const auto coefficient = [&](int k) { return maps.select(1, 3 * row + k).view({-1, 1, 1}); };
  const torch::Tensor x = torch::arange(width, maps.options());
  const torch::Tensor y = torch::arange(height, maps.options()).view({-1, 1});
  return coefficient(0) * x + (coefficient(1) * y + coefficient(2));
}

// Repeats an axis of `size` pixels with the period size - 1.
torch::Tensor wrap(const torch::Tensor& places, std::int64_t size) {
  return size > 1 ? places.remainder(size - 1) : torch::zeros_like(places);
}

// grid_sample counts from -1 to 1 between the centres of the outermost pixels when `corners`, and
// between their outer edges otherwise.
torch::Tensor normalized(const torch::Tensor& places, std::int64_t size, bool corners) {
  if (!corners) return (places * 2 + 1) / size - 1;
  return size > 1 ? places * 2 / (size - 1) - 1 : torch::zeros_like(places);
}

torch::Tensor is_outside(const torch::Tensor& places, std::int64_t size) {
  return (places < 0).logical_or(places > size - 1);
}

template <typename Value>
torch::Tensor sample_on_cpu(const torch::Tensor& pixels,
                            const std::vector<std::array<double, 6>>& maps, FillMode fill_mode,
                            double fill_value) {
  const torch::Tensor source = pixels.contiguous();
  torch::Tensor result = torch::empty(pixels.sizes(), torch::kFloat32);
  const std::int64_t stride = source.stride(0);
  const auto height = static_cast<int>(source.size(1)), width = static_cast<int>(source.size(2));
  const Value* from = source.const_data_ptr<Value>();
  float* to = result.mutable_data_ptr<float>();
  at::parallel_for(0, source.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      sample_image(from + i * stride, height, width, maps[static_cast<std::size_t>(i)], fill_mode,
                   static_cast<float>(fill_value), to + i * stride);
    }
  });
  return result;
}

}  // namespace

torch::Tensor sample(const torch::Tensor& pixels, const std::vector<std::array<double, 6>>& maps,
                     FillMode fill_mode, double fill_value) {
  if (!pixels.is_cpu()) return sample_by_grid(pixels, maps, fill_mode, fill_value);
  return pixels.scalar_type() == torch::kUInt8
             ? sample_on_cpu<std::uint8_t>(pixels, maps, fill_mode, fill_value)
             : sample_on_cpu<float>(pixels, maps, fill_mode, fill_value);
}

torch::Tensor sample_by_grid(const torch::Tensor& pixels,
                             const std::vector<std::array<double, 6>>& maps, FillMode fill_mode,
                             double fill_value) {
  const std::int64_t height = pixels.size(1), width = pixels.size(2);
  std::vector<float> coefficients;
  for (const auto& map : maps) coefficients.insert(coefficients.end(), map.begin(), map.end());
  const torch::Tensor table = torch::tensor(coefficients).view({-1, 6}).to(pixels.device());

  torch::Tensor x = places(table, 0, height, width), y = places(table, 1, height, width);
  if (fill_mode == FillMode::wrap) {
    x = wrap(x, width);
    y = wrap(y, height);
  }
  // grid_sample mirrors at the outer edges only when it counts from them.
  const bool corners = fill_mode != FillMode::reflect;
  auto options = F::GridSampleFuncOptions().mode(torch::kBilinear).align_corners(corners);
  if (fill_mode == FillMode::reflect) {
    options.padding_mode(torch::kReflection);
  } else {
    options.padding_mode(torch::kBorder);
  }
  const torch::Tensor grid =
      torch::stack({normalized(x, width, corners), normalized(y, height, corners)}, -1);
  const torch::Tensor planes = pixels.permute({0, 3, 1, 2}).to(torch::kFloat32).contiguous();
  torch::Tensor result = F::grid_sample(planes, grid, options).permute({0, 2, 3, 1});
  if (fill_mode == FillMode::constant) {
    const torch::Tensor outside = is_outside(x, width).logical_or(is_outside(y, height));
    result = result.masked_fill(outside.unsqueeze(-1), fill_value);
  }
  return result;
}

}  // namespace ranksweep::worker
