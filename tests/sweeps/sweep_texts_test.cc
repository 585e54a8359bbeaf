// The texts that are made from the table of parameters: schema, reference, starter sweep. With
// RANKSWEEP_UPDATE=1 in the environment the kept files are written anew.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sweeps/starter_sweep.h"
#include "sweeps/sweep_reference.h"
#include "sweeps/sweep_schema.h"
#include "sweeps/sweep_spec.h"

namespace ranksweep::sweeps {
namespace {

const std::filesystem::path kSource = RANKSWEEP_SOURCE_DIR;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

void expect_kept(const std::filesystem::path& path, const std::string& text) {
  if (std::getenv("RANKSWEEP_UPDATE") != nullptr) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(read_file(path), text) << "RANKSWEEP_UPDATE=1 writes the kept text anew";
}

TEST(SweepSchema, IsTheOneInTheRepository) {
  expect_kept(kSource / "sweeps/sweep.schema.json", sweep_schema().dump(2) + "\n");
}

TEST(SweepReference, IsTheOneInTheDocumentation) {
  const std::string begin = "<!-- made from sweeps/trial_parameters.cc: begin -->\n\n";
  const std::string end = "<!-- end -->\n";
  const auto file = kSource / "docs/sweep_file.md";
  const std::string text = read_file(file);
  const std::size_t first = text.find(begin);
  const std::size_t last = text.find(end);
  ASSERT_TRUE(first < last && last != std::string::npos) << "the marks are gone";
  expect_kept(file, text.substr(0, first + begin.size()) + sweep_reference() + text.substr(last));
}

TEST(StarterSweep, IsASweepWithoutWarnings) {
  const SweepSpec sweep = parse_sweep(starter_sweep(), "sweep.yaml");
  EXPECT_EQ(sweep.name, "my_sweep");
  EXPECT_EQ(sweep.trials.size(), 4U);
  EXPECT_TRUE(sweep.warnings.empty());
}

// Lines `  # key: value` show defaults, so taking the comment away changes nothing.
TEST(StarterSweep, ShowsTrueDefaults) {
  const std::regex setting(R"((\n  )# ([a-z_]+: .*))");
  const std::string all = std::regex_replace(starter_sweep(), setting, "$1$2");
  EXPECT_NE(all.find("\n  checkpoint_interval: 60\n"), std::string::npos) << all;
  const SweepSpec sweep = parse_sweep(starter_sweep(), "sweep.yaml");
  const SweepSpec uncommented = parse_sweep(all, "sweep.yaml");
  EXPECT_EQ(uncommented.trials, sweep.trials);
  EXPECT_EQ(to_json(uncommented.data), to_json(sweep.data));
  EXPECT_EQ(uncommented.execution.threads, sweep.execution.threads);
  EXPECT_EQ(uncommented.execution.silence_limit, sweep.execution.silence_limit);
}

}  // namespace
}  // namespace ranksweep::sweeps
