#include "worker/training/rmsprop_cpu.h"

#include <cmath>

namespace ranksweep::worker {

// Eight numbers at once where the processor can. Not with FMA, which would round differently.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx2", "default")))
#endif
void rmsprop_on_cpu(const RmspropStep& step, const float* gradients, float* __restrict averages,
                    float* __restrict weights, std::int64_t count) {
  const float rest = 1 - step.rho;
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = gradients[i];
    const float average = averages[i] * step.rho + gradient * gradient * rest;
    averages[i] = average;
    weights[i] -= step.rate * gradient / std::sqrt(average + step.epsilon);
  }
}

}  // namespace ranksweep::worker
