// Every file in bad/ is refused with exactly the text beside it. With RANKSWEEP_UPDATE=1 in the
// environment the texts are written anew, to be read before they are committed.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "sweeps/sweep_spec.h"

namespace ranksweep::sweeps {
namespace {

const std::filesystem::path kFolder = RANKSWEEP_SOURCE_DIR "/tests/sweeps/bad";

// Without the folder's name, which differs from machine to machine.
std::string refusal(const std::filesystem::path& file) {
  try {
    load_sweep(file);
    return "accepted\n";
  } catch (const SweepError& error) {
    std::string text = error.what();
    const std::string prefix = kFolder.string() + "/";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text + "\n";
  }
}

TEST(BadSweeps, AreRefusedWithTheirExactText) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    std::filesystem::path expected = entry.path();
    expected.replace_extension(".expected");
    const std::string text = refusal(entry.path());
    if (std::getenv("RANKSWEEP_UPDATE") != nullptr) std::ofstream(expected) << text;
    std::ifstream stream(expected);
    EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(stream), {})) << entry.path();
  }
  EXPECT_GE(count, 35);
}

TEST(BadSweeps, AFileThatIsNotThereIsNamed) {
  try {
    load_sweep("/no/such/sweep.yaml");
    FAIL() << "accepted";
  } catch (const SweepError& error) {
    EXPECT_STREQ(error.what(), "/no/such/sweep.yaml: there is no such file");
  }
  EXPECT_THROW(load_sweep(kFolder), SweepError);
}

}  // namespace
}  // namespace ranksweep::sweeps
