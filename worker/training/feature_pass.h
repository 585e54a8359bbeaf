#pragma once

namespace ranksweep::worker {

// One pass of what is frozen of a trial's base.
struct FeaturePass {
  enum class Split { train, validation };

  Split split = Split::train;
  int augmented_in_epoch = 0;  // 0: the images as they are
  int leading_blocks = 0;      // of the base, whose maps it gives; 0: all of them, pooled

  bool operator==(const FeaturePass&) const = default;
};

}  // namespace ranksweep::worker
