#pragma once

#include <cstdint>

namespace ranksweep::worker {

// v = rho v + (1 - rho) g^2;  w -= rate g / sqrt(v + epsilon), for `count` numbers: one pass over
// the memory where Torch's operations take five. The same bits on every x86-64 processor.
struct RmspropStep {
  float rho = 0;
  float epsilon = 0;
  float rate = 0;
};
void rmsprop_on_cpu(const RmspropStep& step, const float* gradients, float* averages,
                    float* weights, std::int64_t count);

}  // namespace ranksweep::worker
