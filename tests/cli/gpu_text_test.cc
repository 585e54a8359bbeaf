#include "tools/cli/gpu_text.h"

#include <gtest/gtest.h>

namespace ranksweep::cli {
namespace {

using cluster::Gpu;
using cluster::Nearness;

TEST(GpuText, NamesGpusAsOtherProgramsTakeThem) {
  EXPECT_EQ(names_text({{.name = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"}, {.name = "3"}}),
            "cuda:0 (GPU-8932f937), cuda:1 (3)");
}

TEST(GpuText, SaysHowGpusAreLinked) {
  const Gpu a{.name = "a", .near = {{"b", Nearness::nvlink}, {"c", Nearness::system}}};
  const Gpu b{.name = "b", .near = {{"c", Nearness::system}}};
  const Gpu c{.name = "c"};
  EXPECT_EQ(links_text({a, b, c}), "NVLink 0-1; system between all others");
  EXPECT_EQ(links_text({a, b}), "NVLink between all");
  EXPECT_EQ(links_text({c, a}), "not known");
  EXPECT_EQ(links_text({a}), "");
}

}  // namespace
}  // namespace ranksweep::cli
