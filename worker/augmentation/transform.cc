#include "worker/augmentation/transform.h"

#include <cmath>

#include "worker/data/mix.h"

namespace ranksweep::worker {
namespace {

// The places of the parameters among an image's random numbers. Part of what a trial computes:
// never renumbered.
enum class Place : std::uint64_t {
  rotation = 1,
  height_shift,
  width_shift,
  shear,
  zoom_x,
  zoom_y,
  horizontal_flip,
  vertical_flip,
  channel_shift,
  brightness,
};

// A row-major 3 x 3 matrix for homogeneous coordinates.
using Matrix = std::array<double, 9>;

Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix product = {};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k) product[3 * i + j] += a[3 * i + k] * b[3 * k + j];
    }
  }
  return product;
}

Matrix shift(double x, double y) { return {1, 0, x, 0, 1, y, 0, 0, 1}; }
Matrix scale(double x, double y) { return {x, 0, 0, 0, y, 0, 0, 0, 1}; }
double radians(double degrees) { return degrees * M_PI / 180; }

}  // namespace

TransformParameters draw_transform(const sweeps::Augmentation& augmentation, std::int64_t data_seed,
                                   std::int64_t epoch, std::int64_t image, int height, int width) {
  const auto uniform = [&](Place place, double low, double high) {
    const std::uint64_t bits =
        mix({static_cast<std::uint64_t>(data_seed), static_cast<std::uint64_t>(epoch),
             static_cast<std::uint64_t>(image), static_cast<std::uint64_t>(place)});
    return low + (high - low) * static_cast<double>(bits >> 11) * 0x1p-53;
  };
  const auto around_zero = [&](Place place, double range) { return uniform(place, -range, range); };
  const auto coin = [&](Place place) { return uniform(place, 0, 1) < 0.5; };
  const auto& [zoom_low, zoom_high] = augmentation.zoom;
  return {
      .theta = around_zero(Place::rotation, augmentation.rotation),
      .tx = around_zero(Place::width_shift, augmentation.width_shift) * width,
      .ty = around_zero(Place::height_shift, augmentation.height_shift) * height,
      .shear = around_zero(Place::shear, augmentation.shear),
      .zx = uniform(Place::zoom_x, zoom_low, zoom_high),
      .zy = uniform(Place::zoom_y, zoom_low, zoom_high),
      .flip_horizontal = augmentation.horizontal_flip && coin(Place::horizontal_flip),
      .flip_vertical = augmentation.vertical_flip && coin(Place::vertical_flip),
      .channel_shift = around_zero(Place::channel_shift, augmentation.channel_shift),
      .brightness =
          uniform(Place::brightness, augmentation.brightness[0], augmentation.brightness[1]),
  };
}

std::array<double, 6> affine_map(const TransformParameters& parameters, int height, int width) {
  const double theta = radians(parameters.theta), shear = radians(parameters.shear);
  const double center_x = (width - 1) / 2.0, center_y = (height - 1) / 2.0;
  const Matrix rotation = {
      std::cos(theta), -std::sin(theta), 0, std::sin(theta), std::cos(theta), 0, 0, 0, 1};
  const Matrix shearing = {1, -std::sin(shear), 0, 0, std::cos(shear), 0, 0, 0, 1};
  const Matrix flips =
      scale(parameters.flip_horizontal ? -1 : 1, parameters.flip_vertical ? -1 : 1);
  const Matrix map = shift(center_x, center_y) * rotation * shift(parameters.tx, parameters.ty) *
                     shearing * scale(parameters.zx, parameters.zy) * flips *
                     shift(-center_x, -center_y);
  return {map[0], map[1], map[2], map[3], map[4], map[5]};
}

}  // namespace ranksweep::worker
