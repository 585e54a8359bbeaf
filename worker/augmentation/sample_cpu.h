#pragma once

#include <array>
#include <cstdint>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// sample() of one image on the CPU, many times as fast as grid_sample: `source` and `result` are
// height x width x 3.
void sample_image(const std::uint8_t* source, int height, int width,
                  const std::array<double, 6>& map, sweeps::FillMode fill_mode, float fill_value,
                  float* result);
void sample_image(const float* source, int height, int width, const std::array<double, 6>& map,
                  sweeps::FillMode fill_mode, float fill_value, float* result);

}  // namespace ranksweep::worker
