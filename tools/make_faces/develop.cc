#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tools/make_faces/face.h"

namespace ranksweep::make_faces {
namespace {

using Plane = std::vector<float>;  // height x width x 3

std::vector<float> gaussian(double deviation) {
  const int reach = static_cast<int>(std::ceil(2.5 * deviation));
  std::vector<float> kernel;
  float sum = 0;
  for (int i = -reach; i <= reach; ++i) {
    kernel.push_back(static_cast<float>(std::exp(-i * i / (2 * deviation * deviation))));
    sum += kernel.back();
  }
  for (float& weight : kernel) weight /= sum;
  return kernel;
}

// Blurs along rows or along columns.
void blur_lines(Plane& plane, const std::vector<float>& kernel, int size, bool along_rows) {
  const int reach = static_cast<int>(kernel.size()) / 2;
  const float* weights = kernel.data() + reach;
  Plane result(plane.size());
  const auto at = [size, along_rows](int line, int place, int channel) {
    const int y = along_rows ? line : place, x = along_rows ? place : line;
    return (static_cast<std::size_t>(y) * size + x) * 3 + channel;
  };
  for (int line = 0; line < size; ++line) {
    for (int place = 0; place < size; ++place) {
      for (int channel = 0; channel < 3; ++channel) {
        float sum = 0;
        for (int k = -reach; k <= reach; ++k) {
          sum += weights[k] * plane[at(line, std::clamp(place + k, 0, size - 1), channel)];
        }
        result[at(line, place, channel)] = sum;
      }
    }
  }
  plane = std::move(result);
}

// About normal, with deviation 1: the sum of four uniform numbers from one draw.
float noise(Random& random) {
  const std::uint64_t bits = random.next();
  float sum = 0;
  for (int shift = 0; shift < 64; shift += 16) {
    sum += static_cast<float>((bits >> shift) & 0xFFFF) / 65536.0F - 0.5F;
  }
  return sum * 1.732F;
}

}  // namespace

void develop(const Shot& shot, worker::Image& image) {
  const int size = image.width;
  const double x_weight = std::cos(shot.light_angle), y_weight = std::sin(shot.light_angle);
  const std::array<double, 3> tint = {shot.light.red, shot.light.green, shot.light.blue};
  Plane plane(image.pixels.begin(), image.pixels.end());
  std::size_t i = 0;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const double across = x_weight * (2.0 * x / size - 1) + y_weight * (2.0 * y / size - 1);
      for (const double factor : tint) {
        plane[i++] *= static_cast<float>(factor * (1 + shot.light_strength * across * 0.7));
      }
    }
  }
  if (shot.blur > 0) {
    const std::vector<float> kernel = gaussian(shot.blur * size / 160);
    blur_lines(plane, kernel, size, true);
    blur_lines(plane, kernel, size, false);
  }
  Random random({shot.pattern, 4});
  for (i = 0; i < plane.size(); ++i) {
    const float value = plane[i] + static_cast<float>(shot.noise) * noise(random);
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
  }
}

}  // namespace ranksweep::make_faces
