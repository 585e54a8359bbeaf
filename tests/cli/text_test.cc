#include "tools/cli/text.h"

#include <gtest/gtest.h>

namespace ranksweep::cli {
namespace {

TEST(Text, DurationsHaveTheTwoUnitsThatMatter) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(192), "3 min 12 s");
  EXPECT_EQ(duration_text(5 * 3600 + 125), "5 h 02 min");
  EXPECT_EQ(duration_text(2 * 86400 + 7 * 3600), "2 d 07 h");
}

TEST(Text, BytesAreDecimal) {
  EXPECT_EQ(bytes_text(1500), "1.5 kB");
  EXPECT_EQ(bytes_text(35e6), "35.0 MB");
  EXPECT_EQ(bytes_text(1.25e9), "1.2 GB");
  EXPECT_EQ(bytes_text(3e15), "3000.0 TB");
}

TEST(Text, OneIsSingular) {
  EXPECT_EQ(count_text(1, "trial"), "1 trial");
  EXPECT_EQ(count_text(0, "trial"), "0 trials");
  EXPECT_EQ(count_text(3, "rank"), "3 ranks");
}

TEST(Text, AnErrorInOneLineKeepsTheFirstWordsOfAProgram) {
  EXPECT_EQ(one_line("no such folder"), "no such folder");
  EXPECT_EQ(one_line("no such folder\nand more"), "no such folder");
  EXPECT_EQ(one_line("mpirun ended with exit status 1:\n-----\nIt may not run as root.\nNever.\n"),
            "mpirun ended with exit status 1: It may not run as root.");
  EXPECT_EQ(one_line("mpirun ended with exit status 1:\n"), "mpirun ended with exit status 1");
}

}  // namespace
}  // namespace ranksweep::cli
