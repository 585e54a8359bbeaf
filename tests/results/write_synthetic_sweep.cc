// write_synthetic_sweep PATH TRIALS EPOCHS
#include <cstdio>
#include <cstdlib>

#include "tests/results/synthetic_sweep.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: write_synthetic_sweep PATH TRIALS EPOCHS\n");
    return 2;
  }
  ranksweep::results::testing::write_synthetic_sweep(
      argv[1], {.trials = std::atoi(argv[2]), .epochs = std::atoi(argv[3])});
}
