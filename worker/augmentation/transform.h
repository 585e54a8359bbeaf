#pragma once

#include <array>
#include <cstdint>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// What one image goes through in one epoch: one draw from the ranges of an Augmentation.
struct TransformParameters {
  double theta = 0;  // rotation, degrees
  double tx = 0;     // shift of the columns, pixels
  double ty = 0;     // shift of the rows, pixels
  double shear = 0;  // degrees
  double zx = 1;     // factor of the columns; below 1 magnifies
  double zy = 1;     // of the rows
  bool flip_horizontal = false;
  bool flip_vertical = false;
  double channel_shift = 0;  // added to every value
  double brightness = 1;     // factor

  bool operator==(const TransformParameters&) const = default;
};

// Draws the parameters of the training image `image` in `epoch` (from 1), of height x width pixels.
// A pure function of its arguments: each parameter is a SplitMix64 hash of (data_seed, epoch,
// image, place of the parameter), so rank, thread, batch and attempt have no part in it, and a
// range that is switched on or off leaves the other parameters as they are. All uniform, as in
// Keras' ImageDataGenerator.get_random_transform; columns and rows are zoomed independently.
TransformParameters draw_transform(const sweeps::Augmentation& augmentation, std::int64_t data_seed,
                                   std::int64_t epoch, std::int64_t image, int height, int width);

// Takes the pixel (x, y) of the result, x the column and y the row, to the place in the source
// from which it is read: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5].
//
// The map of Keras' apply_affine_transform(theta, tx, ty, shear, zx, zy), rotation, shift, shear
// and zoom about the centre of the image, followed by the flips. Keras itself differs in two
// places, both of them slips: it takes the centre of a transposed image when that is not square,
// and its generator hands the height shift over as tx.
std::array<double, 6> affine_map(const TransformParameters& parameters, int height, int width);

}  // namespace ranksweep::worker
